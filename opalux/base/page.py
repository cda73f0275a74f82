"""A report as one HTML page: text, tables and pictures, nothing outside the file."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape

from matplotlib.figure import Figure

STYLE = """
body { font: 16px/1.55 system-ui, sans-serif; color: #222; background: #fff;
       max-width: 62rem; margin: 2rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.7rem; line-height: 1.25; } h2 { margin-top: 2.6rem; border-top: 1px solid #ddd;
     padding-top: 1.2rem; font-size: 1.3rem; }
table { border-collapse: collapse; font-size: .88rem; margin: 1rem 0; }
th, td { padding: .3rem .7rem; text-align: left; vertical-align: top;
         border-bottom: 1px solid #e4e4e4; }
th { border-bottom: 2px solid #999; } td.number { text-align: right; white-space: nowrap;
     font-variant-numeric: tabular-nums; }
figure { margin: 1.4rem 0; } figure img { max-width: 100%; height: auto; }
figcaption, .note { font-size: .88rem; color: #555; }
.box { background: #f4f6f9; border-left: 4px solid #4477aa; padding: .6rem 1rem; margin: 1rem 0; }
.wide { overflow-x: auto; }
code { background: #f2f2f2; padding: 0 .2rem; }
"""
DPI = 110


class Page:
    """A page under construction.

    Parameters
    ----------
    title : str
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._parts: list[str] = [f"<h1>{escape(title)}</h1>"]

    def section(self, title: str) -> None:
        """Begin a section."""
        self._parts.append(f"<h2>{escape(title)}</h2>")

    def text(self, *paragraphs: str) -> None:
        """Add paragraphs."""
        self._parts += [f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs]

    def box(self, text: str) -> None:
        """Add a paragraph that stands out."""
        self._parts.append(f'<div class="box">{escape(text)}</div>')

    def points(self, items: Sequence[str]) -> None:
        """Add a list."""
        self._parts.append("<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>")

    def table(self, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Add a table; floating-point numbers are rounded to three places."""
        head = "".join(f"<th>{escape(title)}</th>" for title in header)
        body = "".join("<tr>" + "".join(_cell(value) for value in row) + "</tr>" for row in rows)
        self._parts.append(
            f'<div class="wide"><table><thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>"
        )

    def figure(self, png: bytes, caption: str) -> None:
        """Add a picture with its caption."""
        data = base64.b64encode(png).decode("ascii")
        self._parts.append(
            f'<figure><img alt="{escape(caption, quote=True)}" '
            f'src="data:image/png;base64,{data}"><figcaption>{escape(caption)}</figcaption></figure>'
        )

    def html(self) -> str:
        """The page."""
        return (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape(self._title)}</title><style>{STYLE}</style></head><body>\n"
            + "\n".join(self._parts)
            + "\n</body></html>\n"
        )


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f'<td class="number">{value:.3f}</td>'
    if isinstance(value, int):
        return f'<td class="number">{value}</td>'
    return f"<td>{escape(str(value))}</td>"


def as_png(figure: Figure) -> bytes:
    """The figure as a PNG file, the same bytes each time."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()
