"""Making what a correction learns from: the maps of a network, simulated again.

A network is given a part of the signals of each training map, with noise, as it was in its own
training. Its map is simulated; what that leaves of the signals, and the slope, are an example. Each
process makes its share of the parts; a valid part is kept, all others are made.
"""

import hashlib
from pathlib import Path

from opalux.base.errors import InputError
from opalux.base.progress import Progress
from opalux.base.stopping import StopRequest
from opalux.jobs.inversion.mean_answer import MeanAnswer, told
from opalux.jobs.inversion.misfit import ends_of
from opalux.jobs.inversion.trained import Trained, load_trained, weights_of
from opalux.learning.data.identity import fingerprint, require_same_campaign
from opalux.learning.networks.correction import CorrectionSettings
from opalux.learning.training.augmentation import Augmentation
from opalux.learning.training.distributed import Processes
from opalux.learning.training.examples import Example, Key, keys_in, part_path, write_part
from opalux.learning.training.grid_error import grid_errors
from opalux.learning.training.loader import Samples
from opalux.learning.training.prepare import Prepared

PART = 32
"""Examples in a part: what a kill may lose."""
FINISHED, STOPPED = 0, 1


class SolverExamples:
    """See `opalux.learning.training.run.MakeExamples`."""

    def __init__(self) -> None:
        self._loaded: dict[Path, Trained] = {}

    def check(self, prepared: Prepared) -> None:
        """Refuse a network whose maps cannot be simulated, or that learnt from other signals.

        Raises
        ------
        InputError
            Says which, and what to do.
        """
        trained, settings = self._corrected(prepared), prepared.settings
        if not trained.model.objective.is_map:
            raise InputError(
                f"model.of: {trained.path} gives {trained.model.objective.answer}, expected a "
                "network that gives the density of every cell"
            )
        learned_from = trained.data_sets[-1]
        require_same_campaign(
            prepared.data,
            learned_from.card.model_dump(mode="json"),
            learned_from.fingerprint,
            trained.path,
            ", or correct another network",
        )
        if trained.layout != prepared.model.layout:
            raise InputError(
                f"data.n_times: found {settings.data.n_times}, but {trained.path} takes "
                f"{trained.layout.n_times} times; give what it was trained with"
            )
        own, its = settings.augmentation, trained.settings.augmentation
        if own.subsets != its.subsets:
            raise InputError(
                f"augmentation.subsets: found {own.subsets}, but {trained.path} was trained with "
                f"{its.subsets}; give the same"
            )
        if own.drop_sources or own.drop_edges:
            raise InputError(
                "augmentation: found drop_sources or drop_edges, which corrections do not know; "
                "leave them out, or train both networks with augmentation.subsets=true"
            )
        if not own.subsets and own.noise_range[0] != own.noise_range[1]:
            raise InputError(
                f"augmentation.noise: found {own.noise}, expected one number, since the network is "
                "not told how large the noise is; give one, or train with subsets=true"
            )
        if ends_of(trained.campaign) is None:
            raise InputError(
                f"model.of: the training data of {trained.path} were not simulated here, or their "
                "sources vary, so that its maps cannot be simulated again; correct another network"
            )
        _ = trained.witness  # refuses physics without a gradient

    def __call__(
        self, prepared: Prepared, folder: Path, among: Processes, stop: StopRequest
    ) -> str | None:
        """Make the parts that are not there, and return what they are made from.

        None: stopped by a signal.
        """
        trained = self._corrected(prepared)
        made_from = _name(prepared, trained)
        parts = list(enumerate(_parts(prepared)))[among.rank :: among.world]
        among.on_first(lambda: folder.mkdir(exist_ok=True))
        todo = [
            (path, keys)
            for path, keys in ((part_path(folder, number), keys) for number, keys in parts)
            if keys_in(path, made_from, checked=True) != keys
        ]
        total = sum(len(keys) for _, keys in parts)
        samples, noise = _samples(prepared), prepared.settings.augmentation.noise_range[1]
        done = total - sum(len(keys) for _, keys in todo)
        with Progress("simulating maps", total, done, quiet=not among.first) as progress:
            for path, keys in todo:
                if stop.made:
                    break
                examples = []
                for position, draw in keys:
                    examples.append(_example(trained, samples, position, draw, noise))
                    progress.advance()
                write_part(path, keys, examples, made_from)
        return None if among.largest(STOPPED if stop.made else FINISHED) else made_from

    def _corrected(self, prepared: Prepared) -> Trained:
        shape = prepared.settings.model
        assert isinstance(shape, CorrectionSettings)
        if shape.of not in self._loaded:
            self._loaded[shape.of] = load_trained(shape.of)
        return self._loaded[shape.of]


def _name(prepared: Prepared, trained: Trained) -> str:
    """Return a name for all that examples depend on."""
    settings, shape = prepared.settings, prepared.settings.model
    assert isinstance(shape, CorrectionSettings)
    said = [
        weights_of([trained]),
        fingerprint(prepared.data),
        settings.augmentation.model_dump_json(),
        settings.seed,
        shape.draws,
    ]
    return hashlib.sha256(repr(said).encode()).hexdigest()


def _parts(prepared: Prepared) -> list[list[Key]]:
    """Return which examples each part holds; those of the validation split are drawn once."""
    shape, plan = prepared.settings.model, prepared.plan
    assert isinstance(shape, CorrectionSettings)
    keys = [(int(position), draw) for draw in range(shape.draws) for position in plan.seen]
    keys += [(int(position), 0) for position in plan.held_out]
    return [keys[first : first + PART] for first in range(0, len(keys), PART)]


def _samples(prepared: Prepared) -> Samples:
    """Return the samples as the network is given them, another part and noise for each draw."""
    settings, data, plan = prepared.settings, prepared.data, prepared.plan
    other = settings.augmentation.other_grid
    augmentation = Augmentation(
        settings.augmentation.model_copy(update={"symmetries": False}),
        prepared.model.layout,
        data.stats.signal_mean,
        data.stats.signal_std,
        settings.seed,
        grid_errors(data, other, plan.times, plan.seen) if other else None,
    )
    return Samples(data, plan.times, prepared.model.objective, augmentation)


def _example(
    trained: Trained, samples: Samples, position: int, draw: int, untold: float
) -> Example:
    """Return one example; ``untold`` is the noise where the network is not told it."""
    signals, target, _ = samples[draw, position]
    if not target.isfinite().all():
        raise InputError(
            f"{samples.data.folder}: sample {position} holds NaN or infinity, expected numbers; "
            "check the data set with `opalux dataset check`"
        )
    count = len(trained.layout.quantities)
    given = signals[:, :, :count].numpy()
    noise = float(signals[0, 0, count, 0, 0]) if trained.model.told else untold
    answer = MeanAnswer([trained], symmetries=False, noise=noise)
    density = answer(signals[None])[0][0].cpu().numpy()
    residual, maps = told(trained, given, density, noise)
    return Example(noise, residual[:, :, :count].numpy(), maps.numpy())
