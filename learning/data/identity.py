"""Whether a data set is the one that something was made from: its card, and what its parts hold."""

import zlib
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

import numpy as np

from opalux.base.differences import differences
from opalux.base.errors import InputError
from opalux.learning.data.card import Card
from opalux.learning.data.data_set import DataSet

_BESIDES = {"name", "equation", "units", "made_with", "shard_size", "origin", "format_version"}
_OF_GRIDS = {"scheme", "order", "positivity", "dtype", "precision"}
"""Keys of a problem that decide its discretisation, besides the grid."""
_BESIDES_CAMPAIGN = {"name", "compression", "shard_size"}
_OF_DRAWS = {"seed", "splits"}
"""Keys that decide which maps of a campaign there are, and how many."""


def fingerprint(data: DataSet) -> int:
    """Return a checksum of the checksums of all samples, and of which are good."""
    crc = zlib.crc32(np.ascontiguousarray(data.index("checksum"), np.int64).data)
    return zlib.crc32(np.ascontiguousarray(data.status).data, crc)


def require_unchanged(
    data: DataSet, card: Mapping[str, Any], mark: int | None, path: Path, remedy: str
) -> None:
    """Refuse a data set that is no longer the one that a checkpoint was trained on.

    Parameters
    ----------
    data : the data set as it is now
    card : the data card in the checkpoint, as JSON has it
    mark : `fingerprint` in the checkpoint; None: earlier versions kept none
    path : of the checkpoint
    remedy : what else can be done, in words

    Raises
    ------
    InputError
        Names the first key that differs.
    """
    key = first_difference(_deciding(card), _deciding(data.card.model_dump(mode="json")))
    if not key and mark is not None and mark != fingerprint(data):
        key = "the checksums of its samples differ"
    if key:
        raise InputError(
            f"{data.folder}: is no longer the data set that {path} was trained on ({key}); bring "
            f"that data set back{remedy}"
        )


def require_same_campaign(
    data: DataSet, card: Mapping[str, Any], mark: int | None, path: Path, remedy: str
) -> None:
    """Refuse a data set that is neither the one of a checkpoint nor its campaign with another seed.

    With another seed all maps are others, so that none of a split is in another split there. Those
    of files are not: each seed deals out the same ones. The parameters are those of
    `require_unchanged`.

    Raises
    ------
    InputError
        Names the first key that differs.
    """
    now = data.card.model_dump(mode="json")
    if now["seed"] == card["seed"] or not card.get("campaign"):
        require_unchanged(data, card, mark, path, remedy)
        return
    if key := first_difference(_deciding(card, _OF_DRAWS), _deciding(now, _OF_DRAWS)):
        raise InputError(
            f"{data.folder}: comes from another campaign than the data set that {path} was trained "
            f"on ({key}), expected the same but for seed and splits; make it so{remedy}"
        )
    if any(family.get("kind") == "files" for family in card["campaign"].get("families", ())):
        raise InputError(
            f"{data.folder}: found seed {now['seed']}, but {path} was trained with seed "
            f"{card['seed']} on maps of files, which each seed deals out again; give the data set "
            "that it was trained on"
        )


def _deciding(card: Mapping[str, Any], but: Set[str] = frozenset()) -> dict[str, Any]:
    """Return the part of a card that decides the samples, without the keys ``but``."""
    kept = {key: value for key, value in card.items() if key not in _BESIDES | but}
    campaign = card.get("campaign")
    if isinstance(campaign, Mapping):
        kept["campaign"] = {k: v for k, v in campaign.items() if k not in _BESIDES_CAMPAIGN | but}
    return kept


def physics_difference(one: Card, other: Card, *, grids: bool = True) -> str:
    """Return the first key of what is solved that differs between two data sets, with both values.

    Parameters
    ----------
    one, other : of the data sets; imported ones do not know what was solved, and do not differ
    grids : whether the grid and the scheme that the signals were simulated with count
    """
    keys = ("problem", "sources", "emission", *(("refinement",) if grids else ()))
    before, now = ({key: card.campaign.get(key) for key in keys} for card in (one, other))
    if one.signals_at != other.signals_at:
        return f"signals_at: {one.signals_at} then, {other.signals_at} now"
    if not (one.campaign and other.campaign):
        return ""
    for campaign in (before, now):  # networks read the edges alone
        campaign["problem"] = {
            key: value for key, value in (campaign["problem"] or {}).items() if key != "detectors"
        }
    if not grids:
        problems = [dict(campaign["problem"] or {}) for campaign in (before, now)]
        # The published scheme has errors of its own, and they do not vanish on a finer grid.
        if "published" not in (problem.get("scheme") for problem in problems):
            for campaign, problem in zip((before, now), problems, strict=True):
                campaign["problem"] = {k: v for k, v in problem.items() if k not in _OF_GRIDS}
    return first_difference(before, now)


def first_difference(before: Any, now: Any) -> str:
    """Return the first key of ``before`` that is missing or another in ``now``, and both values."""
    return next(differences(before, now, added=False), "")
