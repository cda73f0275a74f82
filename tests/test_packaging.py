"""An Opalux that was installed from a wheel needs no checkout and minds nobody's file names."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import clean_environment
from tests.test_repository import PROJECT, ROOT, sources

TOPS = ("solver", "learning", "jobs", "configs", "slurm")
"""Folders of the checkout that are packages and data of ``opalux``."""
SMALL = ["--set", "grid.nx=6", "--set", "time.final=0.001", "--set", "output.pictures=false"]
"""Settings of a run that is short without compiled kernels."""


def run(*words: object, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in ``folder`` and return its output; it must not fail."""
    done = subprocess.run(
        list(map(str, words)),
        cwd=folder,
        env=clean_environment() | environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def build_wheel(source: Path, out: Path) -> Path:
    """Build a wheel without a network; return its path."""
    pip = (sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--no-index")
    run(*pip, "--wheel-dir", out, source, folder=out.parent)
    (wheel,) = out.glob("*.whl")
    return wheel


def contents(wheel: Path) -> dict[str, bytes]:
    """Return the files of a wheel, without what pip is told about it."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
        return {name: archive.read(name) for name in names}


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """A copy of the checkout, without what git ignores (old builds)."""
    copy: Path = tmp_path_factory.mktemp("checkout")
    links = [ROOT / "opalux" / name for name in TOPS]
    for path in sources() + links:
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            shutil.copy2(path, target, follow_symlinks=False)
    return copy


@pytest.fixture(scope="module")
def wheel(tree, tmp_path_factory) -> Path:
    return build_wheel(tree, tmp_path_factory.mktemp("wheel") / "out")


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> dict[str, str]:
    """The environment in which Python finds the wheel, and no checkout."""
    target = tmp_path_factory.mktemp("site")
    pip = (sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--no-compile")
    run(*pip, "--target", target, wheel, folder=target)
    path = os.pathsep.join([str(target / "bin"), os.environ["PATH"]])
    return {
        "PYTHONPATH": str(target),
        "PATH": path,
        "OMP_NUM_THREADS": "1",
        "NUMBA_DISABLE_JIT": "1",
    }


@pytest.fixture
def folder(tmp_path) -> Path:
    """A user's folder with files that are named like our packages."""
    for name in TOPS:
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('this is the {name}.py of a user')")
    return tmp_path


def test_the_wheel_holds_every_file_of_the_packages(wheel):
    expected = set()
    for path in sources():
        top, *inner = path.relative_to(ROOT).parts
        if top == "opalux" and not path.is_symlink():
            expected.add("/".join(["opalux", *inner]))
        elif top in TOPS and not inner[-1].startswith("."):
            expected.add("/".join(["opalux", top, *inner]))
    assert set(contents(wheel)) == expected


def test_a_source_distribution_builds_the_same_wheel(tree, wheel, tmp_path):
    code = "import sys, setuptools.build_meta as b; b.build_sdist(sys.argv[1])"
    run(sys.executable, "-c", code, tmp_path, folder=tree)
    (source,) = tmp_path.glob("*.tar.gz")
    again = build_wheel(source, tmp_path / "wheel")
    assert contents(again) == contents(wheel)


def test_the_command_minds_no_file_of_the_user(installed, folder):
    line = ["solve", "debug", *SMALL]
    run("opalux", *line, folder=folder, **installed)
    assert (folder / "runs" / "solve" / "debug" / "solution.h5").is_file()
    version = run("opalux", "--version", folder=folder, **installed).stdout
    assert version.split() == ["opalux", PROJECT["version"]]


@pytest.mark.parametrize("job", ["solve", "sample", "siqd"])
def test_each_job_knows_its_configurations_by_name(job, installed, folder):
    run("opalux", job, "debug", "--dry-run", folder=folder, **installed)


def test_an_unknown_name_is_answered_by_the_known_ones(installed, folder):
    done = subprocess.run(
        ["opalux", "solve", "publish"],
        cwd=folder,
        env=clean_environment() | installed,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 2
    assert "one of the names debug, implicit_marshak" in done.stderr


def test_batch_scripts_find_the_installed_package(installed, folder):
    line = [
        "pipeline",
        "debug",
        "--set",
        "out=out",
        "--set",
        "train=null",
        "--set",
        "evaluate=null",
    ]
    run("opalux", *line, folder=folder, **installed)
    (script,) = (folder / "out" / "scripts").glob("solve.sbatch")
    settings = dict(
        one.split("=", 1) for one in script.read_text().splitlines() if one.startswith("OPALUX")
    )
    assert (Path(settings["OPALUX"]) / "slurm" / "job.sh").is_file()
    assert Path(settings["OPALUX"]).parent == Path(installed["PYTHONPATH"])
    assert settings["OPALUX_PYTHON"] == sys.executable


@pytest.mark.mpi
def test_mpirun_starts_the_installed_command(installed, folder):
    line = ["solve", "debug", *SMALL]
    run("mpirun", "-n", 2, "opalux", *line, folder=folder, **installed)
    assert '"ranks": 2' in (folder / "runs" / "solve" / "debug" / "run.json").read_text()
