"""Checking a data set: layout, checksums, ranges, statistics, and simulating samples again."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from opalux.base.progress import Progress
from opalux.base.yaml_text import parse_yaml
from opalux.jobs.sampling.campaign import Campaign
from opalux.jobs.sampling.sample import make_sample, simulate_all
from opalux.learning.data.card import BACKEND, Card, part_name, read_card
from opalux.learning.data.card import NAME as CARD_NAME
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.densities import Densities
from opalux.learning.data.finish import VIEW_NAME, training_stats
from opalux.learning.data.identity import first_difference
from opalux.learning.data.part import GOOD, DamagedPartError, validate_part

ROUNDING = 1e-4
"""Share of the largest signal by which samples may differ that another back end makes again."""

Advance = Callable[[int], None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class CheckReport:
    """The result of checking a data set.

    Attributes
    ----------
    folder : of the data set
    samples, parts : numbers of samples and parts
    imported : the data set was imported, so that no sample can be made again
    backend : what made the samples, where that was not the kernels, which make them again
    resimulated : number of samples that were made again
    problems : one line for each problem; empty: the data set is sound
    unchecked : what was not looked at, in words
    """

    folder: Path
    samples: int
    parts: int
    imported: bool
    resimulated: int
    problems: tuple[str, ...]
    unchecked: tuple[str, ...] = ()
    backend: str = ""

    def __str__(self) -> str:
        missing = [f"not checked: {what}" for what in self.unchecked]
        if self.problems:
            return "\n".join([*self.problems, *missing])
        again = "none made again"
        if self.imported:
            again = "imported, so none made again"
        elif self.resimulated:
            how = (
                f"to rounding, by the kernels, not {self.backend}" if self.backend else "to the bit"
            )
            again = f"{self.resimulated} made again {how}"
        sound = f"{self.folder}: {self.samples} samples in {self.parts} parts are sound, {again}"
        return "\n".join([sound, *missing])


def check_data_set(
    folder: Path,
    resimulate: int = 3,
    seed: int = 0,
    tell: Callable[[str], object] = lambda problem: None,
) -> CheckReport:
    """Check layout, checksums, ranges and statistics, and make some samples again.

    Parameters
    ----------
    folder : the data set
    resimulate : how many random good samples are made again from the card and compared, bit by bit
        where the kernels made them
    seed : of the choice of those samples
    tell : called with each problem as soon as it is found

    Raises
    ------
    InputError
        When the folder holds no data set, or not all of its parts.
    """
    card = read_card(folder)
    again = min(resimulate, card.n_samples) if card.campaign else 0
    unchecked: list[str] = []
    with Progress(f"checking {card.name}", card.n_samples + again) as progress:
        found = []
        for problem in problems(folder, resimulate, seed, progress.advance, unchecked.append):
            found.append(problem)
            tell(problem)
    return CheckReport(
        folder=folder,
        samples=card.n_samples,
        parts=card.n_parts,
        imported=not card.campaign,
        resimulated=again,
        problems=tuple(found),
        unchecked=tuple(unchecked),
        backend=card.made_with.get(BACKEND, ""),
    )


def problems(
    folder: Path,
    resimulate: int,
    seed: int,
    advance: Advance,
    leave_out: Callable[[str], object] = lambda what: None,
) -> Iterator[str]:
    """Yield the problems of a data set, one line each.

    Parameters
    ----------
    folder : the data set
    resimulate : how many random good samples are made again from the card and compared bit by bit
    seed : of the choice of those samples
    advance : called with the number of samples just checked
    leave_out : called with each thing that is not checked, in words

    Raises
    ------
    InputError
        When the folder holds no data set, or not all of its parts.
    """
    data = DataSet(folder)
    densities = Densities(data.card)
    try:
        damaged = other = False
        for part in range(data.card.n_parts):
            try:
                status = validate_part(folder / part_name(part), data.card, part)
                yield from _range_problems(data, part, status, densities)
                if not other:
                    for problem in _campaign_problems(data, part):
                        other = True
                        yield problem
            except DamagedPartError as error:
                damaged = True
                yield f"{part_name(part)}: {error}; start the line that made the set again"
            advance(len(data.card.samples_of(part)))
        yield from densities.problems()
        if damaged:
            leave_out("the damaged parts, the statistics, and whether samples come out again")
            return
        yield from _summary_problems(data)
        if other:
            leave_out("whether samples come out again, since the card says otherwise")
        elif not data.card.campaign:
            leave_out("whether samples come out again, since the card keeps no campaign")
        elif not resimulate:
            leave_out("whether samples come out again (--resimulate 0)")
        else:
            yield from _reproduction_problems(data, resimulate, seed, advance, leave_out)
    finally:
        data.close()


def _campaign_problems(data: DataSet, part: int) -> Iterator[str]:
    """Yield what the card says otherwise than the configuration that a part keeps."""
    card = data.card
    if card.origin != "simulated":
        return
    if not card.campaign:
        if part == 0:
            yield (
                f"{CARD_NAME}: found no campaign, though the set was simulated; the card was cut "
                "off: start the line that made the set again"
            )
        return
    kept = data.part(part).attrs.get("config")
    if isinstance(kept, str):
        before = parse_yaml(kept, f"{part_name(part)}: config")
        before = {key: value for key, value in before.items() if key in Campaign.model_fields}
        key = first_difference(before, card.campaign)
        if key:
            yield (
                f"{part_name(part)}: was made with another campaign than {CARD_NAME} says ({key}); "
                "start the line that made the set again"
            )


def _range_problems(
    data: DataSet, part: int, status: NDArray[np.int8], densities: Densities
) -> Iterator[str]:
    """Yield the good samples of a part that hold impossible numbers, and note the densities."""
    quantities = data.card.quantities
    positive, on_edges = _surely_positive(data.card), data.card.layout().on_edges[:, 0]
    for number, how in zip(data.card.samples_of(part), status, strict=True):
        if how != GOOD:
            continue
        density, signals = data.density(number), data.signals(number)
        densities.note(number, density)
        if not (np.isfinite(density).all() and (density > 0).all()):
            yield f"sample {number}: density is not finite and positive everywhere"
        if not (np.isfinite(signals).all() and np.isfinite(data.detectors(number)).all()):
            yield f"sample {number}: signals are not finite"
        for q, quantity in enumerate(quantities):
            lowest = signals[:, :, q].min(where=on_edges, initial=np.inf)
            if quantity not in positive:
                continue
            if lowest < 0 or (lowest == 0 and quantity != "F"):
                yield f"sample {number}: {quantity} falls to {lowest}, expected more than 0"


def _surely_positive(card: Card) -> set[str]:
    """Return the quantities that no good simulation gives below 0.

    A scheme without limiter may give a negative E, and so may the line through two cells.
    """
    if card.signals_at == "edge":
        return {"F"}
    problem = card.campaign.get("problem", {})
    signed = problem.get("scheme") == "staggered" or problem.get("positivity") == "off"
    return {"F", "T"} if signed else {"E", "F", "T"}


def _summary_problems(data: DataSet) -> Iterator[str]:
    """Yield the problems of ``stats.json`` and of the virtual view."""
    if data.stats.to_json() != training_stats(data).to_json():
        yield "stats.json: does not fit the training split; start the line that made the set again"
    last = len(data) - 1
    try:
        with h5py.File(data.folder / VIEW_NAME, "r") as view:
            if not np.array_equal(view["density"][last], data.density(last), equal_nan=True):
                yield f"{VIEW_NAME}: does not show the parts"
    except (OSError, KeyError) as error:
        yield f"{VIEW_NAME}: unreadable ({error})"


def _reproduction_problems(
    data: DataSet,
    resimulate: int,
    seed: int,
    advance: Advance,
    leave_out: Callable[[str], object],
) -> Iterator[str]:
    """Yield the samples that differ when they are made again from the card."""
    card = data.card
    campaign = Campaign.of(card, str(data.folder / CARD_NAME))
    good = np.flatnonzero(data.status == GOOD)
    chosen = np.random.default_rng(seed).permutation(good)[:resimulate]
    not_drawn: set[str] = set()
    for number in np.sort(chosen):
        kept_density = data.density(number)
        family = campaign.family_of(int(number))
        try:
            if family.may_be_drawn:
                sample = make_sample(campaign, int(number))
                density, signals, detectors = sample.density, sample.signals, sample.detectors
            else:
                sources = campaign.draw_sources(int(number))
                density = kept_density
                signals, detectors = simulate_all(campaign, density, sources)
                not_drawn.add(family.label)
        except (ArithmeticError, ValueError, LookupError, TypeError) as error:
            yield f"sample {number}: cannot be made again ({error})"
            continue
        for name, again, kept in (
            ("density", density, kept_density),
            ("signals", signals, data.signals(number)),
            ("detectors", detectors, data.detectors(number)),
        ):
            if again is None:
                continue
            if again.shape != kept.shape:
                yield f"sample {number}: {name} made again are {again.shape}, not {kept.shape}"
            elif again.tobytes() != kept.tobytes():
                apart = np.max(np.abs(again - kept)) / np.max(np.abs(kept))
                if name != "density" and BACKEND in card.made_with and apart <= ROUNDING:
                    continue
                yield (
                    f"sample {number}: {name} made again differ by {apart:.3g} of the maximum "
                    f"(the set was made with {card.made_with})"
                )
        advance(1)
    if not_drawn:
        leave_out(f"densities of {', '.join(sorted(not_drawn))}, which the user's own code draws")
