"""The gallery: each script of docs/gallery/ with what it printed and drew in `make gallery`."""

import ast
from pathlib import Path

from docs.website.markdown import fenced

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "docs" / "gallery"


def scripts() -> list[Path]:
    """Return the scripts, in the order of their names."""
    return sorted(SCRIPTS.glob("*.py"))


def index() -> str:
    """Return the page with a picture of each."""
    lines = [
        "# Gallery",
        "",
        "Short scripts that run as they stand, in seconds to a few minutes on two cores: copy one "
        "and change it. The tests run all of them at a smaller size.",
        "",
    ]
    for path in scripts():
        title, text = told(path)
        lines += [f"## [{title}]({path.stem}.md)", "", text.partition("\n\n")[0], ""]
        lines += [f"[![{title}]({picture.name})]({path.stem}.md)" for picture in pictures(path)[:1]]
        lines.append("")
    return "\n".join(lines)


def pages() -> dict[str, str]:
    """Return the page of each script."""
    return {path.stem: _page(path) for path in scripts()}


def told(path: Path) -> tuple[str, str]:
    """Return the title of a script and what it says about itself."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    title, _, text = docstring.partition("\n\n")
    return title.rstrip("."), text


def pictures(path: Path) -> list[Path]:
    """Return the pictures that a script drew."""
    return sorted(SCRIPTS.glob(f"{path.stem}*.png"))


def _page(path: Path) -> str:
    title, text = told(path)
    source = path.read_text(encoding="utf-8")
    code = source.split('"""', 2)[2].strip("\n")
    lines = [f"# {title}", "", text, "", fenced(code, "python")]
    printed = SCRIPTS / f"{path.stem}.txt"
    if printed.is_file():
        lines += ["It prints", "", fenced(printed.read_text(encoding="utf-8"))]
    lines += [f"![What {path.stem} draws]({picture.name})\n" for picture in pictures(path)]
    lines.append(f"The script: `docs/gallery/{path.name}`")
    return "\n".join(lines)
