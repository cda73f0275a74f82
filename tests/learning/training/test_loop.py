"""Training learns, resumes exactly, and does not depend on how a batch is cut."""

import json
import math
import shutil

import pytest
import torch

from opalux.base.errors import InputError
from opalux.base.stopping import StopRequest
from opalux.learning.training import checkpoint, logbook
from opalux.learning.training.distributed import Processes
from opalux.learning.training.loop import DivergedError, run_loop
from opalux.learning.training.plan import TrainSettings
from opalux.learning.training.prepare import prepare
from tests.learning.made_data import make_data

ALONE = Processes(0, 1, torch.device("cpu"))


class StopAfter(StopRequest):
    """A stop request that is made once so many steps have been looked at."""

    def __init__(self, steps: float) -> None:
        self.left = steps

    @property
    def made(self) -> bool:
        self.left -= 1
        return self.left < 0


class Silent:
    """Progress that nobody looks at."""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass

    def advance(self, by=1, note=""):
        pass


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data") / "set")


def settings(data, **changes):
    model = {"kind": "edge_vnet", "width": 4, "features": 4, "levels": 2}
    plain = {
        "data": {"folder": data}, "model": model, "epochs": 4, "batch": 4, "log_every": 3,
        "precision": "float32", "optimiser": {"ema": 0.9},
    }  # fmt: skip
    return TrainSettings.model_validate(plain | changes)


def run(folder, wanted, *, resume=False, stop=math.inf):
    folder.mkdir(exist_ok=True)
    return run_loop(
        prepare(wanted, ALONE), folder, ALONE, resume=resume, stop=StopAfter(stop),
        show=lambda *_: Silent(),
    )  # fmt: skip


def lines(folder):
    """Return metrics.jsonl without what depends on the clock."""
    return [
        {k: v for k, v in line.items() if k != "samples_per_second"}
        for line in logbook.read(folder)
    ]


@pytest.fixture(scope="module")
def uninterrupted(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    assert run(folder, settings(data))
    return folder


def test_training_learns_and_leaves_what_the_contract_says(uninterrupted):
    judged = [line for line in lines(uninterrupted) if line["kind"] == "validation"]
    assert [line["epoch"] for line in judged] == [1, 2, 3, 4]
    assert judged[-1]["loss"] < 0.6 * judged[0]["loss"]
    assert {"last.ckpt", "best.ckpt", "metrics.jsonl"} <= {p.name for p in uninterrupted.iterdir()}
    assert list(uninterrupted.glob("tensorboard/events*"))
    best = checkpoint.load(uninterrupted / checkpoint.BEST)
    assert best["state"]["best"] == max(line["r2_pooled"] for line in judged)


@pytest.mark.parametrize("steps", [3, 7])
def test_a_run_stopped_within_an_epoch_resumes_to_the_same_numbers(
    data, uninterrupted, tmp_path, steps
):
    assert not run(tmp_path, settings(data), stop=steps)
    assert run(tmp_path, settings(data), resume=True)
    assert lines(tmp_path) == lines(uninterrupted)
    last, expected = (
        checkpoint.load(folder / checkpoint.LAST) for folder in (tmp_path, uninterrupted)
    )
    for part in ("model", "average"):
        for name, weight in expected[part].items():
            assert torch.equal(last[part][name], weight), name


@pytest.mark.parametrize(
    ("optimiser", "equal"),
    [
        ({"schedule": "constant", "warm_up": 0.0, "ema": 0.9}, True),
        ({"schedule": "constant", "warm_up": 0.3}, False),
        ({"schedule": "cosine"}, False),
    ],
)
def test_more_epochs_at_a_resume_give_the_longer_run_where_the_rate_does_not_know_them(
    data, tmp_path, optimiser, equal
):
    short, long = (settings(data, epochs=epochs, optimiser=optimiser) for epochs in (2, 3))
    assert run(tmp_path / "raised", short)
    assert run(tmp_path / "raised", long, resume=True)
    assert run(tmp_path / "long", long)
    raised, expected = (
        checkpoint.load(tmp_path / name / "last.ckpt") for name in ("raised", "long")
    )
    assert raised["state"]["step"] == expected["state"]["step"] == 12
    same = [torch.equal(raised["model"][name], w) for name, w in expected["model"].items()]
    assert all(same) == equal
    steps = [line["step"] for line in lines(tmp_path / "raised") if line["kind"] == "validation"]
    assert steps == [4, 8, 12]


def test_lines_after_the_checkpoint_and_half_lines_are_not_kept_twice(data, tmp_path):
    assert not run(tmp_path, settings(data), stop=6)
    with (tmp_path / logbook.NAME).open("a") as file:
        file.write(
            json.dumps({"kind": "train", "step": 9, "epoch": 1, "loss": 0.0}) + '\n{"kind": "tra'
        )
    assert run(tmp_path, settings(data), resume=True)
    steps = [line["step"] for line in lines(tmp_path) if line["kind"] == "train"]
    assert steps == [3, 6, 9, 12, 15, 16]
    assert all(line["loss"] > 0 for line in lines(tmp_path))


def test_a_finished_run_resumed_does_nothing(data, tmp_path):
    assert run(tmp_path, settings(data, epochs=1))
    before = (tmp_path / checkpoint.LAST).read_bytes()
    assert run(tmp_path, settings(data, epochs=1), resume=True)
    assert (tmp_path / checkpoint.LAST).read_bytes() == before


def test_accumulation_changes_losses_by_rounding_only(data, uninterrupted, tmp_path):
    assert run(tmp_path, settings(data, accumulate=2))
    for ours, expected in zip(lines(tmp_path), lines(uninterrupted), strict=True):
        assert ours["loss"] == pytest.approx(expected["loss"], rel=1e-3)


def test_patience_ends_training(data, tmp_path):
    # A learning rate that changes nothing: no validation is better than the first.
    wanted = settings(data, patience=2, epochs=10, optimiser={"lr": 1e-12})
    assert run(tmp_path, wanted)
    judged = [line for line in lines(tmp_path) if line["kind"] == "validation"]
    assert 3 <= len(judged) < 10


def test_a_sample_that_is_not_all_numbers_is_named(tmp_path):
    data = make_data(tmp_path / "set", spoil=5)
    with pytest.raises(InputError, match="sample 5 holds NaN"):
        run(tmp_path / "run", settings(data))


def test_a_loss_that_is_no_number_ends_training_before_a_checkpoint(data, tmp_path):
    with pytest.raises(DivergedError, match=r"lower optimiser\.lr"):
        run(tmp_path, settings(data, optimiser={"lr": 1e30, "clip": None}, log_every=1))
    assert not (tmp_path / checkpoint.LAST).exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch": 64}, "smaller batch"),
        ({"batch": 6, "accumulate": 4}, "multiple of accumulate"),
        ({"model": {"kind": "vnet", "levels": 5}}, "fewer model.levels"),
    ],
)
def test_settings_that_do_not_fit_the_data_are_refused_with_the_remedy(data, changes, message):
    with pytest.raises(InputError, match=message):
        prepare(settings(data, **changes), ALONE)


def test_the_checkpoint_of_another_model_is_refused(data, uninterrupted, tmp_path):
    (tmp_path / checkpoint.LAST).write_bytes((uninterrupted / checkpoint.LAST).read_bytes())
    other = settings(data, model={"kind": "edge_vnet", "width": 8, "features": 4, "levels": 2})
    with pytest.raises(InputError, match="another model"):
        run(tmp_path, other, resume=True)


def test_a_resume_on_data_that_were_made_again_is_refused(tmp_path):
    data = make_data(tmp_path / "set")
    assert not run(tmp_path / "run", settings(data), stop=3)
    kept = (tmp_path / "run" / checkpoint.LAST).read_bytes()
    shutil.rmtree(data)
    make_data(data, change=lambda signals: signals * 2)
    with pytest.raises(InputError, match=r"last.ckpt was trained on \(the checksums"):
        run(tmp_path / "run", settings(data), resume=True)
    assert (tmp_path / "run" / checkpoint.LAST).read_bytes() == kept


@pytest.mark.parametrize("line", ["no line", "[3]", '{"step": 2}', '{"kind": "train"}'])
def test_a_broken_line_of_the_log_is_named_before_a_resume(data, tmp_path, line):
    assert not run(tmp_path, settings(data), stop=7)
    log = tmp_path / "metrics.jsonl"
    before = log.read_text().splitlines()
    log.write_text("\n".join([before[0], line, *before[1:]]) + "\n")
    with pytest.raises(InputError, match=r"metrics\.jsonl, line 2: found"):
        run(tmp_path, settings(data), resume=True)
