"""One large simulation on many processes, to the same bits.

Under `mpirun` a grid is shared out among processes. The numbers are those of one process to the
last bit, so a run may be stopped on four and continued on sixteen. In a shell:

    mpirun -n 4 opalux solve large.yaml --out four
"""

import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import opalux

CELLS = 192
RANKS = 2

Path("large.yaml").write_text(
    f"""
grid: {{nx: {CELLS}, ny: {CELLS}}}
time: {{final: 0.004}}
order: 2
material: {{density: "1 + 9*(sin(20*x)*sin(17*y) > 0.5)"}}
edges: {{left: {{kind: source, sources: [{{start: 0.4, stop: 0.6}}]}}}}
output: {{pictures: false, signals_every: 16}}
"""
)
job = [sys.executable, "-m", "opalux", "solve", "large.yaml", "--force", "--quiet", "--out"]
subprocess.run([*job, "one"], check=True)
solution = opalux.read_solution("one/solution.h5")
if shutil.which("mpirun"):
    subprocess.run(["mpirun", "-n", str(RANKS), *job, "many"], check=True)
    same = np.array_equal(solution.fields, opalux.read_solution("many/solution.h5").fields)
    print(f"{RANKS} processes give the bits of one: {same}")

figure, axis = plt.subplots(figsize=(5.4, 4.4), layout="constrained")
image = axis.imshow(solution.fields[0], origin="lower", extent=(0, 1, 0, 1), cmap="magma")
figure.colorbar(image, label="E [g/cm/sh²]")
axis.set(xlabel="x [cm]", ylabel="y [cm]", title=f"t = {solution.t_final:.3g} sh")
figure.savefig("06_many_processes.png", dpi=110)
