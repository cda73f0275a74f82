"""Where the configurations and batch scripts that come with Opalux lie."""

from pathlib import Path

import opalux

PACKAGE = Path(opalux.__file__).parent
CONFIGS = PACKAGE / "configs"
BATCH_SCRIPTS = PACKAGE / "slurm"
CHECKOUT = PACKAGE.resolve().parent
"""The checkout that this is; of an installed wheel, the folder that it is installed in."""
