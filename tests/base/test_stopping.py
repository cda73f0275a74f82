"""Stopping on a signal: the work looks at the request, the handlers of before come back."""

import os
import signal

import pytest

from opalux.base.stopping import SIGNALS, stop_on_signals


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_becomes_a_request(number):
    with stop_on_signals() as request:
        assert not request.made
        os.kill(os.getpid(), number)
        assert request.made


def test_handlers_of_before_come_back():
    before = [signal.getsignal(number) for number in SIGNALS]
    with pytest.raises(KeyError), stop_on_signals():
        raise KeyError
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_process_that_torchrun_left_behind_is_to_stop(monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    with stop_on_signals() as request:
        assert not request.made
        monkeypatch.setattr(os, "getppid", lambda: 1)
        assert request.made
