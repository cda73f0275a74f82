"""One rank against two."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path


def ranks_lines(n: int = 2048) -> Iterator[str]:
    """Time one rank against two."""
    rates = {}
    with tempfile.TemporaryDirectory() as folder:
        for ranks in (1, 2):
            out = Path(folder) / f"ranks{ranks}"
            settings = [
                f"grid.nx={n}", f"time.final={60 * 0.5 / n / 299!r}", "material.density=1 + 4*x*y",
                "output.pictures=false",
            ]  # fmt: skip
            config = Path(folder) / "bench.yaml"
            config.write_text("edges: {left: {kind: source}}\n")
            line = ["mpirun", "-n", str(ranks), sys.executable, "-m", "opalux", "solve"]
            line.append(str(config))
            for setting in settings:
                line += ["--set", setting]
            subprocess.run([*line, "--out", str(out)], check=True, capture_output=True)
            run = json.loads((out / "run.json").read_text())
            rates[ranks] = run["cell_steps_per_second"]
    yield f"{n} x {n} cells: 2 ranks {rates[2] / rates[1]:.2f} times 1 rank"
    yield f"parallel efficiency {rates[2] / rates[1] / 2:.2f} (idle machine assumed)"
