"""Numbers as people write them: with a decimal comma, a percent sign, or a typographic minus."""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

_COMMA = re.compile(r"[+-]?\d+,\d+(e[+-]?\d+)?", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+")


def _plain(cell: Any) -> str:
    return str(cell).strip().replace("−", "-").replace("\u00a0", "").replace("\u202f", "")


def is_number(cell: Any) -> bool:
    """Tell whether a cell is a number in any of these forms."""
    return np.isfinite(_value(_plain(cell).removesuffix("%").strip(), decimal_comma=True))


def numbers(cells: list[Any]) -> tuple[NDArray[np.float64], list[int]]:
    """Return the numbers of a column (n,), NaN where a cell is none, and the rows in percent.

    A comma is a decimal comma where no cell of the column has a point. A column in which every
    comma could also separate thousands, such as 1,234, is not read: NaN.
    """
    texts = ["" if cell is None else _plain(cell) for cell in cells]
    percent = [i for i, text in enumerate(texts) if text.endswith("%")]
    texts = [text.removesuffix("%").strip() for text in texts]
    with_comma = [text for text in texts if _COMMA.fullmatch(text)]
    decimal = bool(with_comma) and not any("." in text for text in texts)
    if decimal and all(_THOUSANDS.fullmatch(text) and text[0] != "0" for text in with_comma):
        decimal = False
    values = np.array([_value(text, decimal_comma=decimal) for text in texts], dtype=np.float64)
    return values, percent


def _value(text: str, *, decimal_comma: bool) -> float:
    if decimal_comma and _COMMA.fullmatch(text):
        text = text.replace(",", ".")
    try:
        # Python also reads 1_000, which no table means.
        return float("nan") if "_" in text else float(text)
    except ValueError:
        return float("nan")
