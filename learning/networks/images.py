"""How signals become images.

Shape suffixes used in all models: B batch, S source, E edge, Q quantity, T time, N cell along an
edge, C channel, Y and X rows and columns of the map (row 0 = bottom), D depth below an edge.
"""

from collections.abc import Sequence

import torch


def stack_channels(signals_BSEQTN: torch.Tensor) -> torch.Tensor:
    """Return the signals as images (B, C, T, N), one per source, edge and quantity, as published.

    Rows are times and columns are cells, for every edge alike: the axes of the image are those of
    the map only for the lower edge.
    """
    return signals_BSEQTN.flatten(1, 3)


def turn_to_map(edges_BCDN: Sequence[torch.Tensor]) -> torch.Tensor:
    """Turn images (B, C, depth, N) of the edges up, down, left, right into the map's frame.

    In an edge's own frame row 0 lies at the edge and rows count the depth below it. Afterwards a
    feature at depth d and cell n of an edge is at the corresponding place of the map.

    Returns
    -------
    (B, 4, C, Y, X)
    """
    up, down, left, right = edges_BCDN
    return torch.stack(
        [
            up.flip(-2),
            down,
            left.transpose(-1, -2),
            right.flip(-2).transpose(-1, -2),
        ],
        dim=1,
    )
