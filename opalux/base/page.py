"""The one HTML page of all reports: text, tables and pictures, nothing outside the file.

All text is escaped.  `bold` and `code` mark a part of a text, and join it by ``+``:
``page.text("R² is " + bold("0.94") + " on held-out maps.")``.
"""

import base64
import math
import numbers
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import markupsafe

TEMPLATE = Path(__file__).with_name("page.html.j2")
NO_VALUE = "—"


class Page:
    """A page that is being made; its parts appear in the order in which they are added.

    Parameters
    ----------
    title : heading of the page, and title of its window
    lead : paragraph below the heading; may be left out
    """

    def __init__(self, title: str, lead: str = "") -> None:
        self._title, self._lead = title, lead
        self._parts: list[dict[str, Any]] = []

    def answers(self, got: Sequence[str], means: Sequence[str], then: Sequence[str]) -> None:
        """Add the answers to the reader's first questions, side by side where there is room.

        Parameters
        ----------
        got : what the job made, paragraphs
        means : what that means, and how far to trust it
        then : what to do next
        """
        titles = ("What you got", "What it means", "What next")
        self._add("answers", answers=list(zip(titles, (got, means, then), strict=True)))

    def section(self, title: str) -> None:
        """Begin a section."""
        self._add("section", title=title)

    def text(self, *paragraphs: str) -> None:
        """Add paragraphs."""
        self._add("text", paragraphs=paragraphs)

    def note(self, text: str) -> None:
        """Add a paragraph in small grey letters."""
        self._add("note", text=text)

    def box(self, text: str) -> None:
        """Add a paragraph that stands out."""
        self._add("box", text=text)

    def points(self, items: Sequence[str]) -> None:
        """Add a list."""
        self._add("points", items=items)

    def table(self, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Add a table.

        Parameters
        ----------
        header : title of each column; without any title there is no header
        rows : cells; floating-point numbers are rounded to three places (tiny and huge ones to
            three digits), None and NaN become a dash. Columns of numbers, or of texts that are
            numbers, are aligned to the right
        """
        texts = [[_shown(value) for value in row] for row in rows]
        columns = range(max(len(row) for row in (header, *texts)))
        numeric = [_is_numeric([row[i] for row in texts if i < len(row)]) for i in columns]
        self._add("table", header=header if any(header) else (), rows=texts, numeric=numeric)

    def figure(self, png: bytes, caption: str, alt: str = "") -> None:
        """Add a picture, the content of a PNG file.

        Parameters
        ----------
        png : content of the file
        caption : below the picture
        alt : what the picture shows, for those who do not see it; left out: the caption
        """
        data = base64.b64encode(png).decode("ascii")
        self._add("figure", data=data, caption=caption, alt=alt or caption)

    def code(self, text: str) -> None:
        """Add lines of code, such as a command line."""
        self._add("code", text=text)

    def html(self) -> str:
        """Return the page."""
        template = _environment().from_string(TEMPLATE.read_text(encoding="utf-8"))
        return template.render(title=self._title, lead=self._lead, parts=self._parts)

    def _add(self, kind: str, **content: object) -> None:
        self._parts.append({"kind": kind, **content})


def bold(text: str) -> str:
    """Return ``text``, escaped, in bold letters."""
    return markupsafe.Markup("<b>{}</b>").format(text)


def code(text: str) -> str:
    """Return ``text``, escaped, as a piece of code."""
    return markupsafe.Markup("<code>{}</code>").format(text)


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _shown(value: object) -> str:
    if value is None:
        return NO_VALUE
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, numbers.Real):
        number = float(value)
        if math.isnan(number):
            return NO_VALUE
        return f"{number:.3f}" if number == 0.0 or 0.0005 <= abs(number) < 1e6 else f"{number:.3g}"
    return str(value)


def _is_numeric(texts: Sequence[str]) -> bool:
    """Return whether a column holds only numbers; dashes and empty cells are allowed, too."""
    given = [text for text in texts if text not in ("", NO_VALUE)]
    return bool(given) and all(_is_number(text) for text in given)


def _is_number(text: str) -> bool:
    try:
        float(text.replace("−", "-").replace(",", "").removesuffix("%"))
    except ValueError:
        return False
    return True
