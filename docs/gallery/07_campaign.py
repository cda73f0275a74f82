"""The same campaign on a laptop and on Slurm.

A campaign is a file. On a laptop `opalux sample` makes its samples on all cores; on a cluster
`opalux pipeline` writes the batch scripts of an array (and of what comes after), and `--submit`
hands them in. Either may be killed and started again with the same line; both give the same
bits.
"""

import subprocess
import sys
from pathlib import Path

import opalux

MAPS = 32

Path("campaign.yaml").write_text(
    f"""
name: laptop
splits: {{train: {MAPS}}}
problem: {{grid: {{nx: 16, ny: 16}}}}
n_times: 16
shard_size: 4
families: [{{kind: discs}}, {{kind: islands}}]
"""
)
Path("site.yaml").write_text("{partition: cpu, account: physics}")
Path("pipeline.yaml").write_text(
    """
site: site.yaml
out: cluster
sample: {config: campaign.yaml, tasks: 8, time: "01:00:00"}
"""
)


def opalux_(line):
    done = subprocess.run(
        [sys.executable, "-m", "opalux", *line.split()], check=True, capture_output=True, text=True
    )
    print(f"$ opalux {line}\n{done.stdout}")


if __name__ == "__main__":
    opalux_("sample campaign.yaml --out laptop")
    opalux_("dataset check laptop --resimulate 2")
    opalux_("pipeline pipeline.yaml")  # --submit where there is a Slurm
    script = Path("cluster/scripts/sample.sbatch").read_text()
    print("\n".join(line for line in script.splitlines() if line.startswith("#SBATCH")))
    opalux.DataSet("laptop").plot(0).savefig("07_campaign.png", dpi=110)
