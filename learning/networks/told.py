"""What a network is told besides signals: which of them lack, and how large the noise is."""

import torch

from opalux.learning.data.layout import Layout

NOISE_UNIT = 0.05
"""Noise that a network sees as 1, so that it is of the size of its other inputs."""


def tell_noise(signals: torch.Tensor, level: float) -> torch.Tensor:
    """Return signals (..., S, E, Q, T, N) with one more plane, (..., S, E, Q + 1, T, N).

    ``level`` : standard deviation of their noise, relative to each channel's own
    """
    plane = torch.full_like(signals[..., :1, :, :], level)
    return torch.cat([signals, plane], -3)


def seen_by(layout: Layout) -> Layout:
    """Return the layout of what a network is given that is told what lacks, and the noise."""
    known = tuple(f"known {name}" for name in layout.quantities)
    return layout._replace(quantities=(*layout.quantities, *known, "noise"))
