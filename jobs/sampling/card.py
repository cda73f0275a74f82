"""The data card of a campaign, and the campaign in words."""

import json
from pathlib import Path

from opalux.base.config import check
from opalux.base.errors import InputError
from opalux.base.provenance import git_revision, version
from opalux.jobs.sampling.batched import Batches
from opalux.jobs.sampling.campaign import Campaign
from opalux.learning.data.card import BACKEND, SPLITS, Card
from opalux.learning.data.densities import Densities


def card_of(campaign: Campaign, batches: Batches | None = None) -> Card:
    """Return the data card of the data set that a campaign makes.

    Parameters
    ----------
    campaign : what is drawn and simulated
    batches : torch, where that makes the samples in the place of the kernels

    Raises
    ------
    InputError
        When the data set would be too large for one folder.
    """
    content = {
        "name": campaign.name,
        "seed": campaign.seed,
        "splits": campaign.splits,
        "shape": campaign.shape,
        "sources": campaign.source_names,
        "quantities": campaign.quantities,
        "detectors": campaign.detectors,
        "signals_at": campaign.problem.signals.at,
        "n_times": len(campaign.times),
        "n_cells": campaign.n_cells,
        "shard_size": campaign.shard_size,
        "families": tuple(family.label for family in campaign.families),
        "made_with": {
            "opalux_version": version(),
            "git_revision": git_revision(),
            "numpy": version("numpy"),
            "numba": version("numba"),
            **({"torch": version("torch"), BACKEND: batches.name} if batches else {}),
        },
        "campaign": campaign.model_dump(mode="json"),
    }
    return check(Card, content, source="campaign", folder=Path.cwd())


def refuse_repeats(campaign: Campaign, card: Card) -> None:
    """Refuse lists of densities (the user's own maps) of which one would be in two splits.

    Raises
    ------
    InputError
        Names the samples and the files.
    """
    if all(family.length is None for family in campaign.families):
        return
    densities = Densities(card)
    for number in range(card.n_samples):
        if campaign.family_of(number).length is None:
            continue
        try:
            density, _, drawn = campaign.draw_density(number)
        except InputError:  # no density: the sample will fail with this reason
            continue
        densities.note(number, density, json.loads(drawn).get("file", ""))
    for problem in densities.problems():
        raise InputError(f"families: {problem}")


def describe(card: Card) -> str:
    """Return what a campaign with this card makes, in a few lines."""
    splits = ", ".join(f"{name} {getattr(card.splits, name)}" for name in SPLITS)
    size = card.sample_bytes * card.n_samples / 1e9
    detectors = ""
    if card.detectors:
        detectors = f"detectors: {card.detectors_shape} = (source, quantity, time, detector)\n"
    return (
        f"{card.n_samples} densities of {card.shape[1]} x {card.shape[0]} cells ({splits})\n"
        f"families: {', '.join(card.families)}; sources: {', '.join(card.sources)}\n"
        f"signals of a density: {card.signals_shape} = (source, edge, quantity, time, cell)\n"
        f"{detectors}"
        f"{card.n_parts} parts of {card.shard_size}, {size:.3g} GB uncompressed"
    )
