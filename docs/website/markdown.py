"""Pieces of Markdown."""


def cell(text: str) -> str:
    """Return text for a cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ").replace("*", "\\*")


def coded(text: str) -> str:
    """Return text for a cell of a table, as code; nothing stays nothing."""
    return f"`{text.replace('|', chr(0x7C))}`".replace("|", "\\|") if text else ""


def fenced(text: str, language: str = "text") -> str:
    """Return a block of code."""
    return f"```{language}\n{text.rstrip()}\n```\n"
