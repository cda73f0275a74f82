"""Whether a medium is one that can be simulated: density, opacities, heat capacity."""

import numpy as np

from opalux.base.errors import InputError
from opalux.solver.formulas.formula import Formula
from opalux.solver.problem import Material


def check_material(material: Material, density: np.ndarray, temperature: np.ndarray) -> None:
    """Refuse opacities and heat capacities that are not valid for these ρ [g/cm³], T [keV]."""
    for name in ("sigma_a", "sigma_c", "heat_capacity"):
        values = Formula(getattr(material, name), ("rho", "T"))(rho=density, T=temperature)
        low = values > 0 if name == "heat_capacity" else values >= 0
        bad = ~(np.isfinite(values) & low)
        if bad.any():
            j, i = (int(k) for k in np.argwhere(bad)[0])
            raise InputError(
                f"material.{name}: found '{getattr(material, name)}' = {values[j, i]:.6g} where "
                f"rho = {density[j, i]:.6g} and T = {temperature[j, i]:.6g} at the start; expected "
                f"finite and {'> 0' if name == 'heat_capacity' else '>= 0'}"
            )


def check_density(density: np.ndarray, where: str = "material.density") -> None:
    """Refuse a density [g/cm³] that is not positive and finite everywhere (inner cells only)."""
    bad = ~(np.isfinite(density) & (density > 0))
    if bad.any():
        j, i = (int(k) for k in np.argwhere(bad)[0])
        raise InputError(
            f"{where}: found {density[j, i]} in cell (row {j} from the bottom, column {i}) and "
            f"{int(bad.sum()) - 1} more like it; a density must be finite and > 0"
        )
