"""Whatever happens to the files that ``opalux solve`` reads, it ends with a message or is right."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from opalux.jobs.solve import main
from tests.jobs.test_solve import same_bits

PROBLEM = """
grid: {nx: 12, ny: 9}
time: {final: 0.004}
material: {density: 1+x, sigma_a: rho*T, sigma_c: rho*T+1}
edges: {left: {kind: source, sources: [{table: pulse.txt}]}, up: {kind: wall}}
output: {pictures: false, checkpoint_steps: 20, snapshots: 4}
"""
TABLE = "0 0\n0.001 5\n0.003 1\n0.005 0\n"
TRIES = 150


@pytest.fixture(scope="module")
def stopped(tmp_path_factory) -> Path:
    """Return a folder with a run that was lost after its last step, and one that was not."""
    folder = tmp_path_factory.mktemp("stopped")
    (folder / "config.yaml").write_text(PROBLEM)
    (folder / "pulse.txt").write_text(TABLE)
    line = [str(folder / "config.yaml"), "--out"]
    assert main([*line, str(folder / "whole")]) == 0

    def lost(*_):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("opalux.jobs.simulation.run.RunFiles.finish", lost)
        assert main([*line, str(folder / "run")]) == 130
    assert (folder / "run" / "checkpoint.h5").exists()
    return folder


def damaged(content: bytes, chosen: np.random.Generator) -> bytes:
    """Return ``content`` with something done to it."""
    place = int(chosen.integers(len(content)))
    match chosen.integers(5):
        case 0:
            return content[:place]
        case 1:
            return content[:place] + chosen.bytes(int(chosen.integers(1, 50))) + content[place:]
        case 2:
            size = int(chosen.integers(1, 600))
            return content[:place] + bytes(size) + content[place + size :]
        case 3:
            return chosen.bytes(int(chosen.integers(1000)))
    changed = bytearray(content)
    for bit in chosen.integers(0, 8 * len(content), int(chosen.integers(1, 4))):
        changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def resume(stopped: Path, out: Path, capsys) -> int:
    """Go on with the run in ``out``; assert that it is right or refused in one message."""
    code = main([str(stopped / "config.yaml"), "--out", str(out), "--resume"])
    message = capsys.readouterr().err
    assert code in (0, 2), message
    assert message.count("error:") == (code == 2), message
    if code == 0:
        assert same_bits(stopped / "whole" / "solution.h5", out / "solution.h5")
    else:
        assert not (out / "solution.h5").exists()
    return code


def test_a_run_with_a_damaged_checkpoint_is_refused_or_ends_with_the_same_bits(
    stopped, tmp_path, capsys
):
    chosen = np.random.default_rng(0)
    shutil.copytree(stopped / "run", tmp_path / "run")
    whole = (stopped / "run" / "checkpoint.h5").read_bytes()
    for _ in range(TRIES):
        content = damaged(whole, chosen)
        (tmp_path / "run" / "checkpoint.h5").write_bytes(content)
        if content != whole:
            assert resume(stopped, tmp_path / "run", capsys) == 2
    (tmp_path / "run" / "checkpoint.h5").write_bytes(whole)
    assert resume(stopped, tmp_path / "run", capsys) == 0


@pytest.mark.parametrize("name", [".solution.h5.part", ".snapshots.h5.part"])
def test_unfinished_results_with_a_damaged_structure_are_refused(name, stopped, tmp_path, capsys):
    chosen = np.random.default_rng(1)
    shutil.copytree(stopped / "run", tmp_path / "run")
    whole = (tmp_path / "run" / name).read_bytes()
    start = whole.index(b"\x89HDF")
    for _ in range(TRIES // 3):
        head = damaged(whole[: start + 96], chosen)
        (tmp_path / "run" / name).write_bytes(head + whole[start + 96 :])
        if head != whole[: start + 96]:
            assert resume(stopped, tmp_path / "run", capsys) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"E": np.ones((9, 12), np.float32)},
        {"E": np.ones((12, 9))},
        {"E": np.ones((1, 1))},
        {"T": np.array(5.0)},
        {"T": np.full((9, 12), "hot", dtype="S3")},
        {"Fx": None},
    ],
    ids=repr,
)
def test_a_checkpoint_rewritten_by_another_program_is_refused(change, stopped, tmp_path, capsys):
    shutil.copytree(stopped / "run", tmp_path / "run")
    with h5py.File(tmp_path / "run" / "checkpoint.h5", "r+") as file:
        for name, values in change.items():
            del file[f"state/{name}"]
            if values is not None:
                file[f"state/{name}"] = values
    assert resume(stopped, tmp_path / "run", capsys) == 2


def test_a_damaged_source_table_is_read_or_refused(stopped, tmp_path, capsys):
    chosen = np.random.default_rng(2)
    shutil.copy(stopped / "config.yaml", tmp_path)
    line = [str(tmp_path / "config.yaml"), "--out", str(tmp_path / "run"), "--force"]
    codes = []
    for _ in range(TRIES):
        (tmp_path / "pulse.txt").write_bytes(damaged(TABLE.encode(), chosen))
        codes.append(main(line))
        message = capsys.readouterr().err
        assert codes[-1] in (0, 2), message
        assert message.count("error:") == (codes[-1] == 2), message
    assert {0, 2} == set(codes)
