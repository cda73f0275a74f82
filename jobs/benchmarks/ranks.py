"""One rank against two."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

SCHEMES = ("staggered", "consistent")
ROUNDS = 2


def rate(n: int, ranks: int, scheme: str, folder: Path) -> float:
    """Return the cells and steps a second of a run of 60 steps on ``n`` x ``n`` cells."""
    settings = [
        f"scheme={scheme}", f"grid.nx={n}", f"time.final={60 * 0.5 / n / 299!r}",
        "material.density=1 + 4*x*y", "edges.left.kind=source", "output.pictures=false",
    ]  # fmt: skip
    config = folder / "bench.yaml"
    config.write_text("edges: {}\n")
    line = ["mpirun", "-n", str(ranks), sys.executable, "-m", "opalux", "solve", str(config)]
    out = folder / "run"
    line += ["--set", *settings, "--out", str(out), "--force"]
    subprocess.run(line, check=True, capture_output=True)
    return float(json.loads((out / "run.json").read_text())["cell_steps_per_second"])


def ranks_lines(n: int = 2048) -> Iterator[str]:
    """Time one rank against two; of some rounds in turns, each one's best counts."""
    for scheme in SCHEMES:
        best = {1: 0.0, 2: 0.0}
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(ROUNDS):
                for ranks in best:
                    best[ranks] = max(best[ranks], rate(n, ranks, scheme, Path(folder)))
        gain = best[2] / best[1]
        yield (
            f"{scheme}, {n} x {n} cells: 2 ranks {gain:.2f} times 1 rank, parallel efficiency "
            f"{gain / 2:.2f} (idle machine assumed)"
        )
