"""Checkpoints: written whole or not at all, and refused when they belong to something else."""

import zipfile
from pathlib import Path
from typing import Any

import torch

from opalux.base.errors import InputError
from opalux.base.files import atomic

FORMAT_VERSION = 3
LAST, BEST = "last.ckpt", "best.ckpt"


def save(path: Path, content: dict[str, Any]) -> None:
    """Write ``content`` to ``path``, atomically."""
    with atomic(path) as temporary:
        torch.save({"format_version": FORMAT_VERSION, **content}, temporary)


def load(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Return what `save` wrote.

    Raises
    ------
    InputError
        When there is no checkpoint, it is damaged, or of another format.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()  # torch does not look at the checksums that it writes
        if damaged:
            raise ValueError(f"{damaged} does not fit its checksum")
        # Nothing but tensors and plain values: a checkpoint from elsewhere cannot run code.
        content = torch.load(path, map_location=device, weights_only=True)
    except FileNotFoundError:
        raise InputError(f"{path}: no such checkpoint; train first with `opalux train`") from None
    except Exception as error:  # what unpickling garbage may raise is no closed list
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise InputError(
            f"{path}: not a readable checkpoint ({reason[:120]}); train again or use another one"
        ) from None
    found = content.get("format_version") if isinstance(content, dict) else None
    if found != FORMAT_VERSION:
        raise InputError(
            f"{path}: found format_version {found}, this program reads {FORMAT_VERSION}; use the "
            "version that wrote it"
        )
    return content


def load_weights(model: torch.nn.Module, weights: dict[str, torch.Tensor], path: Path) -> None:
    """Put the weights out of the checkpoint ``path`` into ``model``.

    Raises
    ------
    InputError
        When they are the weights of another model.
    """
    own = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    other = {name: tuple(value.shape) for name, value in weights.items()}
    if own != other:
        differing = sorted(name for name in own | other if own.get(name) != other.get(name))
        first = differing[0]
        raise InputError(
            f"{path}: is the checkpoint of another model ({len(differing)} of {len(own)} arrays "
            f"differ; {first}: found {other.get(first)}, expected {own.get(first)}); give the "
            "configuration that it was trained with"
        )
    model.load_state_dict(weights)
