"""Answers on the disk: all that was kept comes back, whatever a kill has left of the last one."""

import numpy as np
import pytest

from opalux.base.errors import InputError
from opalux.jobs.measured.checkpoint import NAME, Checkpoint

ANSWERS = [
    (np.arange(6.0).reshape(2, 3), np.array([1, 2])),
    (np.array(3.5),),
    (np.zeros((0, 4)), np.ones(3), np.array([7.0])),
]


def kept(folder, answers=ANSWERS):
    checkpoint = Checkpoint(folder, "these signals")
    for answer in answers:
        checkpoint.keep(answer)
    return folder / NAME


def same(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert len(one) == len(other)
        for part, again in zip(one, other, strict=True):
            assert part.shape == again.shape
            np.testing.assert_array_equal(part, again)


def test_what_was_kept_comes_back_in_its_order(tmp_path):
    kept(tmp_path)
    same(list(Checkpoint(tmp_path, "these signals").known()), ANSWERS)


def test_a_file_that_a_kill_cut_off_anywhere_goes_on_with_its_whole_records(tmp_path):
    path = kept(tmp_path)
    whole = path.read_bytes()
    ends = []
    for count in range(len(ANSWERS)):
        path.unlink()
        ends.append(len(kept(tmp_path, ANSWERS[:count]).read_bytes()))
    for size in range(0, len(whole), 23):
        path.write_bytes(whole[:size])
        before = max(0, sum(end <= size for end in ends) - 1)
        checkpoint = Checkpoint(tmp_path, "these signals")
        same(list(checkpoint.known()), ANSWERS[:before])
        for answer in ANSWERS[before:]:
            checkpoint.keep(answer)
        assert path.read_bytes() == whole


def test_a_changed_byte_anywhere_is_found(tmp_path):
    path = kept(tmp_path)
    whole = path.read_bytes()
    for place in range(0, len(whole), 17):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.raises(InputError, match="is damaged"):
            Checkpoint(tmp_path, "these signals")


def test_answers_of_other_signals_are_refused(tmp_path):
    kept(tmp_path)
    with pytest.raises(InputError, match="other signals"):
        Checkpoint(tmp_path, "those signals")
