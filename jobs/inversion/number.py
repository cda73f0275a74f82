"""How measures are written in reports and model cards."""

from opalux.base.page import NO_VALUE


def number(value: float | None) -> str:
    """Return a measure with four digits; a dash where it was not taken.

    >>> number(0.123456)
    '0.1235'
    """
    return NO_VALUE if value is None else f"{value:.4g}"
