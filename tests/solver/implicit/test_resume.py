"""Checkpoints of implicit runs: restart = no restart, bit for bit on one process."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from opalux.base.axes import EDGES
from opalux.solver.domains.domain import SerialDomain
from opalux.solver.files.checkpoint import read_checkpoint, write_checkpoint
from opalux.solver.march import time_loop
from opalux.solver.time_loop import Chunk, TimeLoop
from tests.solver.implicit.test_implicit import EDGES as KINDS
from tests.solver.implicit.test_implicit import problem


def records(chunks: list[Chunk]) -> np.ndarray:
    """Return all signals of some chunks in one array."""
    return np.concatenate(
        [np.concatenate([chunk.signals[name].ravel() for name in EDGES]) for chunk in chunks]
    )


@pytest.mark.parametrize(
    ("time", "before"),
    [({"method": "implicit", "final": 0.02, "records": 30}, 8), ({"method": "steady"}, 4)],
)
def test_a_restart_gives_the_bits_of_no_restart(
    time: dict[str, Any], before: int, tmp_path: Path
) -> None:
    made = problem(edges=KINDS["held and vacuum"], source="40*x*y", time=time)

    def fresh() -> TimeLoop:
        return time_loop(made, SerialDomain(made))

    whole, part, resumed = fresh(), fresh(), fresh()
    chunks = list(whole.run())
    steps = part.run()
    first = [next(steps) for _ in range(before)]
    write_checkpoint(tmp_path / "checkpoint.h5", part, {"config": "a"})
    read_checkpoint(tmp_path / "checkpoint.h5", resumed, "a")
    rest = list(resumed.run())
    assert len(rest) == len(chunks) - before
    assert np.array_equal(whole.fields, resumed.fields)
    assert np.array_equal(records(chunks), records([*first, *rest]))
    assert whole.clock == resumed.clock
