"""The table of schemes says what each scheme knows, and the problem is checked against it."""

from typing import Any, get_args

import numpy as np
import pydantic
import pytest

from opalux.solver.domains.domain import SerialDomain
from opalux.solver.march import March
from opalux.solver.problem import Problem
from opalux.solver.scheme import Feature
from opalux.solver.scheme_catalogue import SCHEMES, SchemeName

VARIANTS = [(name, order) for name, scheme in SCHEMES.items() for order in scheme.orders]
WITH: dict[Feature, dict[str, Any]] = {
    Feature.EDDINGTON: {"constants": {"eddington": 1 / 3}},
    Feature.VOLUME_SOURCE: {"source": "x"},
    Feature.VARYING_CAPACITY: {"material": {"heat_capacity": "T"}},
    Feature.WALLS: {"edges": {"up": {"kind": "wall"}}},
    Feature.VACUUM: {"edges": {"up": {"kind": "vacuum"}}},
    Feature.PERIODIC: {"edges": {"up": {"kind": "periodic"}, "down": {"kind": "periodic"}}},
}


def test_the_table_and_the_names_of_the_settings_agree():
    assert get_args(SchemeName) == tuple(SCHEMES)


@pytest.mark.parametrize(("name", "order"), VARIANTS)
def test_each_order_of_each_scheme_takes_steps(name, order):
    problem = Problem(scheme=name, order=order, grid={"nx": 4}, time={"final": 0.001})
    march = March(problem, SerialDomain(problem))
    layers = SCHEMES[name].orders[order].layers
    assert march.domain.wide.shape == (4, 4 + 2 * layers, 4 + 2 * layers)
    assert sum(len(chunk.times) for chunk in march.run()) == march.n_steps
    assert np.isfinite(march.domain.state).all()


@pytest.mark.parametrize("feature", Feature)
@pytest.mark.parametrize("name", SCHEMES)
def test_what_a_scheme_does_not_know_is_refused_by_name(name, feature):
    settings = {"scheme": name, "grid": {"nx": 4}} | WITH[feature]
    if feature not in SCHEMES[name].refuses:
        assert feature in Problem.model_validate(settings).features
        return
    with pytest.raises(pydantic.ValidationError, match=f"'{name}' with {feature.value}"):
        Problem.model_validate(settings)


@pytest.mark.parametrize("name", SCHEMES)
def test_an_order_or_kind_of_numbers_that_a_scheme_lacks_is_refused(name):
    scheme = SCHEMES[name]
    for order in (1, 2):
        for dtype in ("float64", "float32"):
            settings = {"scheme": name, "order": order, "dtype": dtype, "grid": {"nx": 4}}
            if order in scheme.orders and dtype in scheme.orders[order].dtypes:
                assert Problem.model_validate(settings).variant is scheme.orders[order]
            else:
                with pytest.raises(pydantic.ValidationError, match="found"):
                    Problem.model_validate(settings)
