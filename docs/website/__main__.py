"""``python -m docs.website``: gathers the pages of the site in build/docs, for MkDocs or others.

What is written by hand is copied from docs/, what is generated is written beside it. So the
tool that turns pages into a site needs no plugin of ours.
"""

import re
import shutil
from pathlib import Path

from docs.website import commands, gallery, keys, names

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs"
GATHERED = ROOT / "build" / "docs"

_ELSEWHERE = re.compile(r"\[([^\]]+)\]\((?:\.\./)+([^)#]+)(?:#[^)]*)?\)")
"""A link from a page of docs/ to a file of the checkout that is no page."""


def generated() -> dict[str, str]:
    """Return the generated pages by their path."""
    return {
        "reference/commands.md": commands.page(),
        "reference/keys.md": keys.index(),
        "reference/names.md": names.page(),
        "gallery/index.md": gallery.index(),
        **{f"reference/keys_{name}.md": text for name, text in keys.pages().items()},
        **{f"gallery/{name}.md": text for name, text in gallery.pages().items()},
    }


def gather(target: Path) -> None:
    """Write all pages into ``target``, which is made anew."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(PAGES, target, ignore=shutil.ignore_patterns("website", "*.py", "*.txt"))
    for page in target.glob("*.md"):
        text = page.read_text(encoding="utf-8")
        page.write_text(_ELSEWHERE.sub(r"\1 (`\2`)", text), encoding="utf-8")
    for path, text in generated().items():
        page = target / path
        page.parent.mkdir(exist_ok=True)
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    gather(GATHERED)
