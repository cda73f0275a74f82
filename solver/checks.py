"""Whether a medium is one that can be simulated: density, opacities, heat capacity."""

import dataclasses

import numpy as np

from opalux.base.errors import InputError
from opalux.solver.formulas.formula import Formula
from opalux.solver.problem import Material

ROUNDING = 1e-9  # by how much σ_c may be below σ_a because they are written in two ways


@dataclasses.dataclass(frozen=True)
class Fault:
    """A place where something is not as it must be.

    Attributes
    ----------
    j, i : row and column of the cell
    found, expected : what is there, and what to do about it
    """

    j: int
    i: int
    found: str
    expected: str


class MaterialCheck:
    """Looks at the opacities and the heat capacity of a medium for given ρ and T."""

    def __init__(self, material: Material) -> None:
        self._formulas = {
            name: Formula(getattr(material, name), ("rho", "T"))
            for name in ("sigma_a", "sigma_c", "heat_capacity")
        }
        self._orders = self._formulas["sigma_a"].text != self._formulas["sigma_c"].text

    @property
    def varies(self) -> bool:
        """Whether anything depends on ρ or T."""
        return any(formula.constant is None for formula in self._formulas.values())

    def look(self, density: np.ndarray, temperature: np.ndarray) -> tuple[Fault | None, str]:
        """Return the first cell that is not valid, and a doubt about the whole medium.

        Parameters
        ----------
        density, temperature : (rows, columns) ρ [g/cm³], T [keV]; cells where T is not finite or is
            negative are left out
        """
        values: dict[str, np.ndarray] = {}
        for name, formula in self._formulas.items():
            same = name == "sigma_c" and not self._orders
            found = values["sigma_a"] if same else formula(rho=density, T=temperature)
            values[name] = found
            if same:
                continue
            positive = name == "heat_capacity"
            least = found.min()
            if (least > 0 if positive else least >= 0) and found.max() < np.inf:
                continue  # no cell is bad: neither holds for NaN
            good = (found > 0 if positive else found >= 0) & (found < np.inf)
            bad = ~good & (temperature >= 0) & (temperature < np.inf)
            if bad.any():
                j, i = (int(k) for k in np.argwhere(bad)[0])
                return Fault(
                    j,
                    i,
                    f"material.{name}: found '{formula.text}' = {found[j, i]:.6g} where "
                    f"rho = {density[j, i]:.6g} and T = {temperature[j, i]:.6g}",
                    f"finite and {'> 0' if positive else '>= 0'}; give a formula "
                    "that holds there, or change what heats or cools the medium",
                ), ""
        if self._orders and (values["sigma_c"] < (1 - ROUNDING) * values["sigma_a"]).any():
            return None, (
                f"material.sigma_c: found '{self._formulas['sigma_c'].text}' below sigma_a = "
                f"'{self._formulas['sigma_a'].text}' in this medium, so that scattering is "
                "negative; sigma_c is the total opacity: give sigma_a + scattering, or sigma_s"
            )
        return None, ""


def check_density(density: np.ndarray, where: str = "material.density") -> None:
    """Refuse a density [g/cm³] that is not positive and finite everywhere (inner cells only)."""
    bad = ~(np.isfinite(density) & (density > 0))
    if bad.any():
        j, i = (int(k) for k in np.argwhere(bad)[0])
        raise InputError(
            f"{where}: found {density[j, i]} in cell (row {j} from the bottom, column {i}) and "
            f"{int(bad.sum()) - 1} more like it; a density must be finite and > 0"
        )
