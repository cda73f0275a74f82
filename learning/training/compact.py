"""A checkpoint of half the size, for handing a network on: what a reconstruction needs.

Weights are kept in half precision, and the numbers that signals are scaled by once where they are
the same for all cells of an edge. `opalux.learning.training.checkpoint.load_weights` takes both
forms.
"""

from pathlib import Path
from typing import Any

import torch

KEPT = ("settings", "layout", "card", "fingerprint", "times", "state", "model", "corrected")


def needed(content: dict[str, Any]) -> dict[str, Any]:
    """Return what a reconstruction needs of the content of a checkpoint: the averaged weights."""
    kept = {name: content[name] for name in KEPT if name in content}
    return kept | {"model": content.get("average", content["model"])}


def compacted(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a checkpoint in the compact form.

    Folders of data and of logs are places on another machine for whoever reads it; names stand in
    the places of the former, nothing in that of the latter.

    Raises
    ------
    ValueError
        When a weight is too large for half precision.
    """
    kept = needed(content)
    settings, weights = kept["settings"], kept["model"]
    changed = {"data": settings["data"] | {"folder": kept["card"]["name"]}, "mlflow": None}
    augmentation = settings["augmentation"]
    if augmentation.get("other_grid"):
        name = Path(augmentation["other_grid"]).name
        changed["augmentation"] = augmentation | {"other_grid": name}
    if "corrected" in content:
        kept["corrected"] = compacted(content["corrected"])
        changed["model"] = settings["model"] | {"of": Path(settings["model"]["of"]).name}
    return kept | {
        "settings": settings | changed,
        "model": {name: _shrunk(name, value) for name, value in weights.items()},
    }


def expanded(
    weights: dict[str, torch.Tensor], like: dict[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """Return weights of the compact form in the shapes and types of ``like``.

    What fits neither is returned as it is.
    """
    return {
        name: _fitted(value, like[name]) if name in like else value
        for name, value in weights.items()
    }


def _shrunk(name: str, value: torch.Tensor) -> torch.Tensor:
    if not name.startswith("network."):
        return value[..., :1].clone() if (value.ndim and (value == value[..., :1]).all()) else value
    if value.dtype != torch.float32:
        return value
    half = value.half()
    if not half.isfinite().all():
        raise ValueError(f"{name}: found a weight of {value.abs().max():.3g}, expected < 65504")
    return half


def _fitted(value: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    if value.dtype == torch.float16 and like.dtype == torch.float32:
        value = value.float()
    same = value.shape[:-1] == like.shape[:-1] and value.ndim == like.ndim
    if same and value.ndim and value.shape[-1] == 1:
        return value.expand_as(like).clone()
    return value
