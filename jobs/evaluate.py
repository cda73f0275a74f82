"""``opalux evaluate``: judge a trained network on maps that it has never seen."""

import argparse

from opalux.base import command_line
from opalux.base.config import dump
from opalux.base.exit_codes import OK
from opalux.base.files import atomic, write_json
from opalux.base.run_folder import open_run
from opalux.jobs.inversion.settings import EvaluateSettings

DESCRIPTION = """\
Judge a trained network on held-out maps.

RUN is the folder of a training run.  Writes metrics.json, pictures and report.html
into DIR (default: RUN itself).  Other test sets are judged apart:

  opalux evaluate RUN --set apart.fine.folder=DATA --set apart.fine.noise=0.01"""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see DESCRIPTION."""
    parser = command_line.parser("evaluate", DESCRIPTION, "folder of a training run", "RUN")
    parsed = parser.parse_args(argv)
    return command_line.run(lambda: _evaluate(parsed))


def _evaluate(parsed: argparse.Namespace) -> int:
    given, settings = command_line.of_run(parsed, EvaluateSettings)
    run = given.config

    # Importing torch takes seconds: not before the command line is understood.
    from opalux.jobs.inversion import report as evaluate_report
    from opalux.jobs.inversion.judge import (
        judge,
        judge_learning_curve,
        judge_linear,
        judge_with_calibration,
    )
    from opalux.jobs.inversion.model_card import card
    from opalux.jobs.inversion.niche import judge_niche
    from opalux.learning.networks.whole_map import WholeMap
    from opalux.learning.training.predict import load_trained

    name = f"{settings.checkpoint}.ckpt"
    ensemble = [load_trained(folder / name) for folder in (run, *settings.also)]
    trained = ensemble[0]
    if given.dry_run:
        print(f"would judge {run}/{settings.checkpoint}.ckpt:\n{dump(settings)}", end="")
        return OK
    out = run
    if given.out is not None and given.out.resolve() != run.resolve():
        out = open_run(given.out, dump(settings), resume=given.resume, force=given.force)
    if not isinstance(trained.model.objective, WholeMap):
        numbers = judge_niche(trained, settings)
        numbers |= {"run": str(run), "checkpoint": settings.checkpoint, "step": trained.step}
        write_json(out / "metrics.json", numbers)
        evaluate_report.write_niche(out, run, trained, numbers)
        print(", ".join(f"{name} {value:.4f}" for name, value in numbers["scores"].items()))
        print(f"report: {out / 'report.html'}")
        return OK
    judged = {"": judge(ensemble, settings, settings)}
    for name, test_set in settings.apart.items():
        judged |= judge_with_calibration(ensemble, name, test_set, settings)
    if settings.linear_baseline:
        judged["ridge regression"] = judge_linear(trained, settings)
    curve = []
    if settings.learning_curve:
        curve = judge_learning_curve(run, trained, judged[""], settings)
    metrics = judged[""].numbers | {
        "run": str(run),
        "networks": len(ensemble),
        "checkpoint": settings.checkpoint,
        "step": trained.step,
        "symmetries_averaged": settings.symmetries,
        "learning_curve": curve,
        "apart": {name: result.numbers for name, result in judged.items() if name},
    }
    write_json(out / "metrics.json", metrics)
    with atomic(out / "model_card.md") as temporary:
        temporary.write_text(card(trained, metrics), encoding="utf-8")
    evaluate_report.write(out, run, trained, judged, curve)
    for name, result in judged.items():
        title = f"{name}: " if name else ""
        print(title + ", ".join(f"{key} {value:.4g}" for key, value in result.headline.items()))
    print(f"report: {out / 'report.html'}")
    return OK


if __name__ == "__main__":
    raise SystemExit(main())
