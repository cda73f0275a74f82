"""The files around the packages agree with one another."""

import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def sources() -> list[Path]:
    """The files of the tree, committed or about to be, without what git ignores."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    paths = (ROOT / name for name in listing.stdout.split("\0") if name)
    return [path for path in paths if path.is_file()]


def requirement_names(requirements: list[str]) -> set[str]:
    """The names of the packages, in the one spelling of PEP 503."""
    names = (re.split(r"[\s<>=!~;\[#]", line, maxsplit=1)[0] for line in requirements)
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names if name}


def test_every_configuration_is_yaml() -> None:
    paths = sorted((ROOT / "configs").rglob("*.y*ml"))
    assert paths
    for path in paths:
        document = yaml.safe_load(path.read_text())
        assert isinstance(document, dict), f"{path} is not a mapping"


def test_the_citation_is_for_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"]


def test_the_installed_version_is_the_declared_one() -> None:
    assert metadata.version("opalux") == PROJECT["version"]


def test_every_requirement_is_pinned() -> None:
    extras = PROJECT["optional-dependencies"].values()
    required = requirement_names(
        PROJECT["dependencies"] + [name for extra in extras for name in extra]
    )
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = requirement_names([line for line in lines if "==" in line and line[0] != "#"])
    assert required <= pinned, f"not in constraints.txt: {sorted(required - pinned)}"


def test_every_folder_of_modules_is_a_package() -> None:
    """One without __init__.py would be missing from an installed Opalux."""
    tops = [ROOT / name for name in ("opalux", "solver", "learning", "jobs")]
    folders = {path.parent for top in tops for path in top.rglob("*.py")}
    missing = [str(f.relative_to(ROOT)) for f in folders if not (f / "__init__.py").is_file()]
    assert not missing


def test_no_file_names_a_package_registry() -> None:
    """Where packages come from is for each site's pip to say."""
    # In pieces, or this file would be the first to fail.
    hosts = [
        ".".join(parts).encode()
        for parts in [
            ("pypi", "org"),
            ("pythonhosted", "org"),
            ("download", "pytorch", "org"),
            ("anaconda", "org"),
        ]
    ]
    named = [
        f"{path.relative_to(ROOT)}: {host.decode()}"
        for path in sources()
        for host in hosts
        if host in path.read_bytes()
    ]
    assert not named, "\n".join(named)


def test_every_test_that_the_page_on_reliability_names_exists() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)::([\w:]+)`", page)
    assert len(named) > 40
    rows = [line for line in page.splitlines() if line.startswith("| ") and "---" not in line]
    titles = [line for line in rows if "| Test" in line]
    assert all("::test_" in row or "::Test" in row for row in rows if row not in titles)
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not (ROOT / file).is_file()
        or any(
            not re.search(rf"^ *(def|class) {part}\b", (ROOT / file).read_text(), re.MULTILINE)
            for part in name.split("::")
        )
    ]
    assert not missing, "\n".join(missing)
