"""Linear systems of five points solved by PETSc: a matrix allocated once, and refilled in place.

Right-hand side and solution are PETSc Vecs in the memory of our own arrays, distributed as the
blocks of the grid are. The matrix is assembled: multigrid and incomplete factors need its entries.
The preconditioner is made again when iterations show that it has grown old.
"""

import dataclasses
import weakref
from typing import Any

import numpy as np

from opalux.base.kernels import njit
from opalux.solver.domains.domain import Domain
from opalux.solver.domains.linear import CENTRE, EAST, NORTH, SOUTH, WEST, Solved
from opalux.solver.domains.petsc import PETSc
from opalux.solver.domains.petsc_options import PetscOptions, last_line

MOST = 500  # iterations of a solve
OLD = 1  # iterations above those of a fresh preconditioner after which it is made again
TOO_OLD = 12  # such iterations at which a solve is given up, to begin anew with a fresh one
SLACK = 10  # times the tolerance that a residual may be where PETSc says that it has converged

REASONS = {
    value: name.removeprefix("DIVERGED_").removeprefix("CONVERGED_").lower().replace("_", " ")
    for name, value in vars(PETSc.KSP.ConvergedReason).items()
    if isinstance(value, int)
}
"""Why PETSc ends a solve, in words."""


class PetscSolver:
    """Krylov methods and preconditioners of PETSc; see `domains.linear.LinearSolver`.

    Conjugate gradients (BiCGStab where the matrix is unsymmetric) with hypre's multigrid, or GAMG
    where PETSc has no hypre; PETSc's options change that. Residuals are true ones, not those of the
    preconditioned system, which a bad preconditioner makes small; and whatever the options are, the
    residual of what PETSc calls solved is computed anew.

    Parameters
    ----------
    domain : this process's share of the grid; of many processes, a `PetscDomain`
    periodic : whether the grid is so along x, along y
    symmetric : whether the matrix is
    options : PETSc's options for it, as on its command line

    Raises
    ------
    InputError
        When PETSc does not take an option, or nothing asks for it.
    """

    def __init__(
        self, domain: Domain, periodic: tuple[bool, bool], *, symmetric: bool, options: str
    ) -> None:
        block = domain.block
        shape, n = (block.ny, block.nx), block.ny * block.nx
        comm = getattr(domain, "comm", PETSc.COMM_SELF)
        self.matrix = np.zeros((*shape, 5))
        self.right, self.found = np.zeros(shape), np.zeros(shape)
        columns = _columns(domain)
        inside = columns >= 0
        counts = inside.sum(axis=2).reshape(-1)
        self._rows = np.concatenate([[0], np.cumsum(counts)]).astype(PETSc.IntType)
        self._columns, self._inside = columns[inside].astype(PETSc.IntType), inside.reshape(-1)
        # The entries that PETSc sees are packed where they are, to the front of ours.
        self._entries = self.matrix.reshape(-1)
        self._values = self._entries[: len(self._columns)]
        whole = block.grid.ny * block.grid.nx
        sizes = ((n, whole), (n, whole))
        # One process, and columns in order: the matrix lies in our own array.
        self._shared = domain.size == 1 and not any(periodic)
        csr = self._rows, self._columns, self._values
        if self._shared:
            self._A = PETSc.Mat().createAIJWithArrays(sizes, csr, comm=comm)
        else:
            self._A = PETSc.Mat().createAIJ(sizes, csr=csr, comm=comm)
        self._A.setOption(PETSc.Mat.Option.SYMMETRIC, symmetric)
        self._A.setOption(PETSc.Mat.Option.SPD, symmetric)
        self._b = PETSc.Vec().createWithArray(self.right.reshape(-1), (n, whole), comm=comm)
        self._x = PETSc.Vec().createWithArray(self.found.reshape(-1), (n, whole), comm=comm)
        self._domain, product = domain, np.zeros(shape)
        self._product_array = product
        self._product = PETSc.Vec().createWithArray(product.reshape(-1), (n, whole), comm=comm)
        given = PetscOptions(options)
        weakref.finalize(self, given.close)
        self._A.setOptionsPrefix(given.prefix)
        if options:
            self._try(domain, given, symmetric)
        self._ksp = _krylov(self._A, symmetric, given)
        self._asked, _, _, self._most = self._ksp.getTolerances()
        self.name = f"petsc {self._ksp.getType()} + {self._ksp.getPC().getType()}"
        self._few, self._fresh = 0, True

    def _try(self, domain: Domain, given: PetscOptions, symmetric: bool) -> None:
        """Solve a system like those to come: only then has every part asked for its options."""
        self.matrix[...] = -1.0
        self.matrix[..., CENTRE] = 5.0
        self.right[...] = 1.0
        self._fill()
        ksp = _krylov(self._A, symmetric, given)
        try:
            ksp.solve(self._b, self._x)
        except PETSc.Error as error:
            raise given.refused(last_line(error)) from None
        ksp.destroy()
        left = [name for name in given.names if not domain.any(given.used(name))]
        if left:
            raise given.refused(f"nothing asks for {' and '.join(left)}")

    def _fill(self) -> None:
        """Give PETSc the entries of ``matrix``, which are packed to its front."""
        pack(self._entries, self._inside)
        if not self._shared:
            self._A.zeroEntries()
            self._A.setValuesCSR(
                self._rows, self._columns, self._values, addv=PETSc.InsertMode.ADD_VALUES
            )
        self._A.assemble()
        # The kernels write where PETSc does not see it, and it keeps norms that it knows.
        self._A.stateIncrease()
        self._b.stateIncrease()

    def solve(self, tolerance: float) -> Solved:
        """Fill ``found``; see `LinearSolver`."""
        self._fill()
        solved, spent = self._attempt(tolerance), 0
        if solved.failure and not self._fresh:
            self._fresh, spent = True, solved.iterations
            solved = self._attempt(tolerance)
        if self._fresh:
            self._few = solved.iterations
        self._fresh = bool(solved.failure) or solved.iterations > self._few + OLD
        return dataclasses.replace(solved, iterations=spent + solved.iterations)

    def _attempt(self, tolerance: float) -> Solved:
        ksp = self._ksp
        ksp.getPC().setReusePreconditioner(not self._fresh)
        most = self._most if self._fresh else min(self._most, self._few + TOO_OLD)
        ksp.setTolerances(rtol=min(tolerance, self._asked), max_it=most)
        try:
            ksp.solve(self._b, self._x)
        except PETSc.Error as error:  # of a preconditioner, for instance
            return Solved(0, last_line(error))
        reason, iterations = ksp.getConvergedReason(), ksp.getIterationNumber()
        if reason <= 0:
            return Solved(iterations, f"diverged ({REASONS.get(reason, f'reason {reason}')})")
        self._A.mult(self._x, self._product)
        squares = np.array([((self._product_array - self.right) ** 2).sum(), (self.right**2).sum()])
        left, size = np.sqrt(self._domain.total(squares))
        if left <= SLACK * tolerance * size:
            return Solved(iterations)
        return Solved(
            iterations,
            f"called solved ({REASONS.get(reason, f'reason {reason}')}) where the residual is "
            f"{left / size:.2g} of the right-hand side",
        )


def _krylov(A: Any, symmetric: bool, given: PetscOptions) -> Any:
    """Return the KSP, with the user's options."""
    ksp = PETSc.KSP().create(comm=A.comm)
    ksp.setOptionsPrefix(given.prefix)
    ksp.setOperators(A)
    ksp.setType("cg" if symmetric else "bcgs")
    if not symmetric:
        ksp.setPCSide(PETSc.PC.Side.RIGHT)
    ksp.setTolerances(rtol=0.5, atol=0.0, divtol=1e10, max_it=MOST)
    ksp.setNormType(PETSc.KSP.NormType.UNPRECONDITIONED)
    try:
        ksp.getPC().setType("hypre")
    except PETSc.Error:
        ksp.getPC().setType("gamg")
    try:
        ksp.setFromOptions()
    except PETSc.Error as error:
        raise given.refused(last_line(error)) from None
    return ksp


@njit()
def pack(entries: np.ndarray, inside: np.ndarray) -> None:
    """Move those of ``entries`` (n,) that are ``inside`` to the front, in their order."""
    place = 0
    for n in range(entries.shape[0]):
        if inside[n]:
            entries[place] = entries[n]
            place += 1


def _columns(domain: Domain) -> np.ndarray:
    """Return the numbers of the unknowns that each row knows (ny, nx, 5), −1 outside the domain.

    Unknowns are numbered process by process, along the rows of its block.
    """
    block, state = domain.block, domain.state
    sizes = domain.broadcast(domain.gather(block.ny * block.nx))
    first = sum(sizes[: domain.rank])
    numbers = np.full((block.ny + 2, block.nx + 2), -1.0)
    own = first + np.arange(block.ny * block.nx, dtype=np.float64).reshape(block.ny, block.nx)
    numbers[1:-1, 1:-1] = own
    if domain.size > 1:  # the neighbours' numbers come as their fields do
        before = state.copy()
        state[0] = numbers
        domain.exchange()
        numbers = state[0].copy()
        state[...] = before
    if domain.wraps[0]:
        numbers[:, 0], numbers[:, -1] = numbers[:, -2].copy(), numbers[:, 1].copy()
    if domain.wraps[1]:
        numbers[0], numbers[-1] = numbers[-2].copy(), numbers[1].copy()
    columns = np.empty((block.ny, block.nx, 5), np.int64)
    columns[..., SOUTH], columns[..., NORTH] = numbers[:-2, 1:-1], numbers[2:, 1:-1]
    columns[..., WEST], columns[..., EAST] = numbers[1:-1, :-2], numbers[1:-1, 2:]
    columns[..., CENTRE] = own
    return columns
