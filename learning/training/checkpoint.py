"""Checkpoints: written whole or not at all, and refused when they belong to something else."""

import contextlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from opalux.base.errors import InputError
from opalux.base.files import atomic
from opalux.learning.training.compact import expanded

FORMAT_VERSION = 3
LAST, BEST = "last.ckpt", "best.ckpt"
CORRECTED = "corrected"
"""Entry of a correction's checkpoint: the content of what it corrects, itself such a content."""

_KINDS = {
    "settings": dict,
    "layout": dict,
    "card": dict,
    "times": list,
    "state": dict,
    "model": dict,
    "optimiser": dict,
    "average": dict,
    CORRECTED: dict,
}
"""Of what kind the entries are."""


def best_of(path: Path) -> Path:
    """Return a checkpoint: the one given, or the best one of a run in a folder."""
    return path / BEST if path.is_dir() else path


def save(path: Path, content: dict[str, Any]) -> None:
    """Write ``content`` to ``path``, atomically.

    It is put together in memory, since torch turns a full disk into a `RuntimeError`.
    """
    image = io.BytesIO()
    torch.save({"format_version": FORMAT_VERSION, **content}, image)
    with atomic(path) as temporary:
        temporary.write_bytes(image.getbuffer())


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
    for name, kind in _KINDS.items():
        if not isinstance(content.get(name, kind()), kind):
            raise InputError(
                f"{path}: found {type(content[name]).__name__} for {name}, expected "
                f"{kind.__name__}; train again or use another checkpoint"
            )
    return content


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what the content of a checkpoint of other things raises into one message.

    Raises
    ------
    InputError
        When something is missing in it, or is of another type or shape.
    """
    try:
        yield
    except InputError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError, OverflowError) as e:
        raise InputError(
            f"{path}: holds something unexpected ({type(e).__name__}: {str(e)[:120]}), expected "
            "what `opalux train` writes; train again or use another checkpoint"
        ) from None


def load_weights(model: torch.nn.Module, weights: dict[str, torch.Tensor], path: Path) -> None:
    """Put the weights out of the checkpoint ``path`` into ``model``.

    Raises
    ------
    InputError
        When they are the weights of another model, or not finite.
    """
    weights = expanded(weights, model.state_dict())
    own, other = _forms(model.state_dict()), _forms(weights)
    if own != other:
        differing = sorted(name for name in own | other if own.get(name) != other.get(name))
        first = differing[0]
        raise InputError(
            f"{path}: is the checkpoint of another model ({len(differing)} of {len(own)} arrays "
            f"differ; {first}: found {other.get(first)}, expected {own.get(first)}); give the "
            "configuration that it was trained with"
        )
    for name, values in weights.items():
        if values.is_floating_point() and not values.isfinite().all():
            raise InputError(
                f"{path}: {name}: found NaN or infinity, expected finite weights; train again, or "
                "use another checkpoint"
            )
    model.load_state_dict(weights)


def _forms(weights: dict[str, torch.Tensor]) -> dict[str, tuple[int | str, ...]]:
    """Return the shape of each array, and its type where this is not float32."""
    return {
        name: tuple(value.shape) + (() if value.dtype == torch.float32 else (str(value.dtype),))
        for name, value in weights.items()
    }
