"""A checkpoint is whole or not there, and only fits the model that it was made of."""

import random

import pytest
import torch

from opalux.base.errors import InputError
from opalux.learning.training import checkpoint


class Unwritable:
    def __reduce__(self):
        raise OSError("disk full")


def test_a_failed_write_leaves_the_old_checkpoint_and_nothing_else(tmp_path):
    path = tmp_path / "last.ckpt"
    checkpoint.save(path, {"step": 1})
    with pytest.raises(OSError, match="disk full"):
        checkpoint.save(path, {"step": 2, "broken": Unwritable()})
    assert checkpoint.load(path)["step"] == 1
    assert [p.name for p in tmp_path.iterdir()] == ["last.ckpt"]


@pytest.mark.parametrize("damage", ["missing", "empty", "text", "cut", "version", "code"])
def test_what_is_no_checkpoint_is_refused(tmp_path, damage):
    path = tmp_path / "last.ckpt"
    checkpoint.save(path, {"weights": torch.zeros(100)})
    whole = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "version":
        torch.save({"format_version": 99}, path)
    elif damage == "code":
        torch.save({"format_version": 1, "run": print}, path)
    else:
        path.write_bytes({"empty": b"", "text": b"hello", "cut": whole[: len(whole) // 2]}[damage])
    with pytest.raises(InputError, match=r"last\.ckpt"):
        checkpoint.load(path)


def test_weights_of_another_model_are_refused_by_name_and_shape(tmp_path):
    small, large = torch.nn.Linear(2, 3), torch.nn.Linear(2, 4)
    with pytest.raises(InputError, match=r"another model.*bias: found \(4,\), expected \(3,\)"):
        checkpoint.load_weights(small, large.state_dict(), tmp_path / "last.ckpt")


def test_a_flipped_bit_is_refused_or_changes_nothing(tmp_path):
    path = tmp_path / "last.ckpt"
    weights = torch.arange(500, dtype=torch.float32)
    checkpoint.save(path, {"weights": weights, "state": {"step": 7}})
    whole = path.read_bytes()
    chosen = random.Random(0)
    refused = 0
    for _ in range(200):
        changed = bytearray(whole)
        changed[chosen.randrange(len(whole))] ^= 1 << chosen.randrange(8)
        path.write_bytes(changed)
        try:
            found = checkpoint.load(path)
        except InputError:
            refused += 1
            continue
        assert torch.equal(found["weights"], weights)
        assert found["state"] == {"step": 7}
    assert refused > 50
