"""Libraries that are not required, imported when something needs them."""

from importlib import import_module
from typing import Any

from opalux.base.errors import InputError


def import_xarray() -> Any:
    """Return xarray.

    Raises
    ------
    InputError
        When it is not installed.
    """
    try:
        return import_module("xarray")
    except ImportError:
        raise InputError(
            "to_xarray() needs xarray, which is not installed; run pip install 'opalux[xarray]'"
        ) from None
