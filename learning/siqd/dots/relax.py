"""Structures relaxed by an installed quantum-chemistry program, through a calculator of ASE.

The gap is that of tight binding before and after: relaxation moves the atoms, and with them the
integrals by Harrison's rule. The program's own gap is not used.

References
----------
C. Bannwarth, S. Ehlert and S. Grimme, J. Chem. Theory Comput. 15, 1652 (2019): GFN2-xTB.
S. Grimme, C. Bannwarth and P. Shushkov, J. Chem. Theory Comput. 13, 1989 (2017): GFN1-xTB.
"""

import dataclasses
from importlib import import_module
from typing import Any

import numpy as np

from opalux.base.errors import InputError, OpaluxError
from opalux.learning.siqd.dots.export_settings import RelaxSettings
from opalux.learning.siqd.dots.molecule import ANGSTROM, Molecule

METHODS = {"gfn1": "GFN1-xTB", "gfn2": "GFN2-xTB"}
"""Names of the methods in tblite."""


class RelaxationError(OpaluxError, ArithmeticError):
    """A program could not compute the forces in a structure."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Relaxed:
    """A structure at rest.

    Attributes
    ----------
    molecule : the structure
    steps : that were taken
    force : largest force on an atom that is left [eV/Å]
    """

    molecule: Molecule
    steps: int
    force: float


def relaxed(molecule: Molecule, calculator: Any, *, force: float, steps: int) -> Relaxed:
    """Return a structure moved down its forces by L-BFGS.

    Parameters
    ----------
    molecule : the structure
    calculator : any calculator of ASE
    force : largest force on an atom at which to stop [eV/Å]
    steps : to take at most

    Raises
    ------
    RelaxationError
        When the calculator fails.
    """
    ase, optimise = import_module("ase"), import_module("ase.optimize")
    atoms = ase.Atoms(molecule.symbols, molecule.positions / ANGSTROM, calculator=calculator)
    search = optimise.LBFGS(atoms, logfile=None)
    try:
        search.run(fmax=force, steps=steps)
        left = float(np.linalg.norm(atoms.get_forces(), axis=1).max())
    except Exception as error:  # of any program
        raise RelaxationError(f"{molecule.name}: cannot be relaxed ({error})") from None
    moved = dataclasses.replace(molecule, positions=ANGSTROM * atoms.get_positions())
    return Relaxed(molecule=moved, steps=search.nsteps, force=left)


def calculator_for(settings: RelaxSettings) -> Any:
    """Return the calculator that the settings name.

    Raises
    ------
    InputError
        When it is not installed.
    """
    try:
        import_module("ase.optimize")
        made = import_module("tblite.ase").TBLite
    except ImportError as error:
        raise InputError(
            f"relax: needs {error.name or 'tblite'}, which is not installed; run pip install "
            "'opalux[relax]', or leave the key out"
        ) from None
    return made(method=METHODS[settings.method], verbosity=0)
