"""What `jobs.solve` does with a finished solution.h5: the original's exports, exact errors."""

import contextlib
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from opalux.base.axes import EDGES, FIELDS, along
from opalux.base.errors import InputError
from opalux.base.files import atomic
from opalux.solver.formulas.formula import Formula
from opalux.solver.legacy import formats as legacy
from opalux.solver.march import Solution
from opalux.solver.media import ArrayDensity, NicheDensity
from opalux.solver.start import time_steps

if TYPE_CHECKING:
    from opalux.jobs.solve import SolveConfig


def read_solution(path: Path) -> Solution:
    """Read solution.h5 back; see `solver.march.Solution`."""
    with h5py.File(path, "r") as file:
        fields = file["fields"]
        F = fields["F"][()]
        signals = {}
        for edge in EDGES:
            group = file[f"signals/{edge}"]
            flux = np.moveaxis(group["F"][()], 2, 1)
            signals[edge] = np.concatenate(
                [group["E"][()][:, None], flux, group["T"][()][:, None]], axis=1
            )
        return Solution(
            times=file["signals/t"][()],
            signals=signals,
            fields=np.stack([fields["E"][()], F[..., 0], F[..., 1], fields["T"][()]]),
            t_final=float(fields.attrs["t"]),
            rho=fields["rho"][()],
        )


def check_export(config: "SolveConfig") -> None:
    """Refuse an export that cannot succeed, before any work is done."""
    assert config.export is not None
    path, grid = config.export.file, config.cells
    steps = len(time_steps(config)[1])
    head = _head(path) if config.export.write == "append" else b""
    if config.export.mode == "dataframe":
        if head and not head.startswith(",".join(legacy.COLUMNS).encode()[: len(head)]):
            raise InputError(
                f"export.file: {path} holds no dataframe of this kind, so nothing can be added; "
                "use another file or write: truncate"
            )
        return
    if max(grid.nx, grid.ny, steps, config.export.simulations) >= 2**16:
        raise InputError(
            f"export.mode: sds02 holds at most {2**16 - 1} cells a side and steps, found "
            f"{grid.nx} x {grid.ny} cells and {steps} steps; use mode: dataframe"
        )
    expected = struct.pack("<HHH", grid.nx, grid.ny, steps)
    if head and not (head.startswith(legacy.MAGIC) and head[7:13] == expected):
        raise InputError(
            f"export.file: {path} is no sds02 file of {grid.nx} x {grid.ny} cells and {steps} "
            "steps, so nothing can be added; use another file or write: truncate"
        )


def _head(path: Path) -> bytes:
    """Return the first bytes of the file that is to be added to, none if there is no file yet."""
    try:
        with path.open("rb") as file:
            return file.read(14)
    except FileNotFoundError:
        return b""
    except (OSError, ValueError) as error:  # ValueError: a name that holds a null character
        raise InputError(f"export.file: cannot read {path} ({error}); choose another") from None


def check_target(config: "SolveConfig") -> None:
    """Make sure that the export can be written where it is to go, and leave nothing there."""
    assert config.export is not None
    path = config.export.file
    try:
        made = [folder for folder in path.parents if not folder.exists()]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise IsADirectoryError("it is a folder")
            with atomic(path.with_name(f".{path.name}.try")) as temporary:
                temporary.touch()
            path.with_name(f".{path.name}.try").unlink()
        finally:
            for folder in made:
                with contextlib.suppress(OSError):
                    folder.rmdir()
    except (OSError, ValueError) as error:  # ValueError: a name that holds a null character
        raise InputError(f"export.file: cannot write {path} ({error}); choose another") from None


def export(config: "SolveConfig", path: Path) -> None:
    """Write the export that the configuration asks for, from solution.h5 at ``path``."""
    assert config.export is not None
    solution, target = read_solution(path), config.export.file
    target.parent.mkdir(parents=True, exist_ok=True)
    before = b""
    if config.export.write == "append" and target.exists():
        before = target.read_bytes()
    fresh = not before
    if config.export.mode == "binary":
        edge, start = _source(config)
        added = legacy.sds_bytes(solution, edge, start, config.export.simulations, header=fresh)
    else:
        row = _described(config, solution)
        added = legacy.dataframe_text(solution, row, header=fresh).encode()
    with atomic(target) as temporary:
        temporary.write_bytes(before + added)


def errors_against(config: "SolveConfig", path: Path) -> dict[str, dict[str, float | None]]:
    """Return relative L1, L2 and maximum errors against ``config.exact`` at the final time.

    An error that is no number, because the formula gives none there, is None.
    """
    assert config.exact is not None
    solution, whole = read_solution(path), config.cells.whole
    errors = {}
    for name, field in zip(FIELDS, solution.fields, strict=True):
        text = getattr(config.exact, name)
        if text is None:
            continue
        exact = Formula(text, ("t", "x", "y", "t_0"))(
            t=solution.t_final,
            x=whole.x[None, 1:-1],
            y=whole.y[1:-1, None],
            t_0=config.time.start,
        )
        difference, scale = np.abs(field - exact), np.abs(exact)
        tiny = np.finfo(float).tiny
        with np.errstate(all="ignore"):
            found = {
                "l1": float(difference.mean() / max(scale.mean(), tiny)),
                "l2": float(np.sqrt((difference**2).mean() / max((scale**2).mean(), tiny))),
                "max": float(difference.max() / max(scale.max(), tiny)),
            }
        errors[name] = {key: value if np.isfinite(value) else None for key, value in found.items()}
    return errors


def _source(config: "SolveConfig") -> tuple[int, float | None]:
    """Return the number of the first source edge (−1: none) and where its source starts."""
    for number, name in enumerate(EDGES):
        edge = getattr(config.edges, name)
        if edge.kind == "source":
            return number, edge.sources[0].start
    return -1, None


def _described(config: "SolveConfig", solution: Solution) -> dict[str, Any]:
    """Return the columns x_min … rho_attr of the published dataframe."""
    grid, density, attributes = config.cells, config.material.density, "[]"
    if isinstance(density, ArrayDensity):
        rho = f"numpy:{density.file}"
    elif isinstance(density, NicheDensity):
        rho = f"crenau({density.x:g},{density.y:g},{density.low:g},{density.high:g})"
        ends = (solution.rho.min(), solution.rho.max())
        attributes = f"[({density.x:g}, {density.y:g}, {ends[0]:g}, {ends[1]:g})]"
    else:
        rho = density.formula
    row: dict[str, Any] = {
        "x_min": float(grid.x[0]), "x_max": float(grid.x[1]),
        "y_min": float(grid.y[0]), "y_max": float(grid.y[1]), "N": grid.nx, "M": grid.ny,
        "c": config.constants.c, "a": config.constants.a, "C_v": config.material.heat_capacity,
        "CFL": config.time.cfl, "precision": config.precision, "t_0": config.time.start,
        "t_f": config.time.final, "step_count": len(solution.times), "rho_expr": rho,
        "sigma_a_expr": config.material.sigma_a, "sigma_c_expr": config.material.sigma_c,
        "E_0_expr": config.initial.E, "F_0_x_expr": config.initial.Fx,
        "F_0_y_expr": config.initial.Fy, "T_0_expr": config.initial.T, "rho_attr": attributes,
    }  # fmt: skip
    for letter, name in legacy.LETTERS.items():
        edge = getattr(config.edges, name)
        rules = edge.rules()
        if edge.kind == "source":
            low, high = getattr(grid, along(name))
            pulse = edge.sources[0]
            start = low if pulse.start is None else pulse.start
            stop = high if pulse.stop is None else pulse.stop
            rules["E"] = f"ponctuel({start:g},{stop:g})"
        for key, field in (("E", "E"), ("F", "Fx"), ("F", "Fy"), ("T", "T")):
            axis = {"Fx": "_x", "Fy": "_y"}.get(field, "")
            text = rules[field]
            row[f"{key}_{letter}{axis}_expr"] = "neumann" if text == "free" else text
    return row
