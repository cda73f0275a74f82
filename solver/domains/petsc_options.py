"""PETSc's options for one Krylov solver: given as words, kept apart from those of all others."""

import ctypes
import itertools
from collections.abc import Sequence

from opalux.base.errors import InputError
from opalux.solver.domains.petsc import PETSc

_numbers = itertools.count(1)  # the same on all processes, which make their solvers together


class PetscOptions:
    """What one solver is told on PETSc's command line.

    PETSc has one table of options for all of a process. A prefix of its own keeps what one solver
    is told from those that follow.

    Parameters
    ----------
    text : such as ``-ksp_type cg -pc_type gamg``

    Attributes
    ----------
    text : as given
    prefix : of the solver and its matrix
    """

    def __init__(self, text: str) -> None:
        self.text, self.prefix = text, f"opalux{next(_numbers)}_"
        table = PETSc.Options()
        table.prefixPush(self.prefix)
        if text:
            table.insertString(text)
        table.prefixPop()
        own = PETSc.Options(self.prefix)
        self._names = tuple(own.getAll())
        if "pc_gamg_reuse_interpolation" not in self._names:
            # Coefficients change by orders of magnitude; aggregates that ignore it do not converge.
            own["pc_gamg_reuse_interpolation"] = "false"

    def close(self) -> None:
        """Take the options out of PETSc's table."""
        own = PETSc.Options(self.prefix)
        for name in own.getAll():
            own.delValue(name)

    @property
    def names(self) -> Sequence[str]:
        """The options that are given, with their dash."""
        return [f"-{name}" for name in self._names]

    def used(self, name: str) -> bool:
        """Return whether anything on this process has asked for an option."""
        library = ctypes.CDLL(PETSc.__file__)  # petsc4py leaves this function out
        found = ctypes.c_int(0)
        library.PetscOptionsUsed(None, f"{self.prefix}{name[1:]}".encode(), ctypes.byref(found))
        return bool(found.value)

    def refused(self, why: str) -> InputError:
        """Return the error of options that PETSc does not take."""
        return InputError(
            f"time.petsc: found '{self.text}', which PETSc does not take ({why}); see "
            "'Krylov methods' in PETSc's manual"
        )


def last_line(error: Exception) -> str:
    """Return what a PETSc error says at its end."""
    return str(error).strip().splitlines()[-1].strip()
