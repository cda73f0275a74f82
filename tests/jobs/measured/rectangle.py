"""Signals of a rectangle, as ``opalux solve`` writes them."""

import numpy as np
import yaml

from opalux.jobs import solve

ny, nx = SHAPE = 8, 12
MAP = {"nx": nx, "ny": ny, "x": [0.0, 1.5], "y": [0.0, 1.0]}
VACUUM = {name: {"kind": "vacuum", "T": 5} for name in ("up", "down", "left", "right")}


def truth():
    """Return a density (ny, nx) that is not the same in any other orientation."""
    y, x = np.mgrid[:ny, :nx] + 0.5
    x, y = x / nx * 1.5, y / ny
    return 1.2 + 2.0 * np.exp(-((x - 0.4) ** 2 + (y - 0.65) ** 2) / 0.04) + 1.2 * (x - y > 0.7)


def solved(folder, source="left", *, finer=2, **changes):
    """Simulate with one source on a grid so many times finer; return the path of solution.h5."""
    folder.mkdir(parents=True, exist_ok=True)
    grid = MAP | {"nx": nx * finer, "ny": ny * finer}
    np.save(folder / "rho.npy", np.kron(truth(), np.ones((finer, finer))))
    content = {
        "scheme": "staggered",
        "grid": grid,
        "time": {"final": 0.01, "cfl": 0.65},
        "material": {"density": {"kind": "array", "file": str(folder / "rho.npy")}},
        "edges": VACUUM | {source: {"kind": "source"}},
        "signals": {"at": "edge"},
        "output": {"pictures": False},
        **changes,
    }
    (folder / "solve.yaml").write_text(yaml.safe_dump(content))
    assert solve.main([str(folder / "solve.yaml"), "--out", str(folder / "run")]) == 0
    return folder / "run" / "solution.h5"


def config(folder, **changes):
    """Write a configuration of ``opalux invert`` for the map; return its path."""
    content = {
        "problem": {"grid": MAP, "time": {"final": 0.01}, "edges": VACUUM},
        "noise": 0.01,
        "steps": 30,
        "modes": 0,
        "refinement": 2,
        **changes,
    }
    path = folder / "invert.yaml"
    path.write_text(yaml.safe_dump(content))
    return path
