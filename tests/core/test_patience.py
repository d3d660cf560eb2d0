"""A limit to what Python may take, where the process has an alarm clock."""

from __future__ import annotations

import itertools
import signal
import threading
import time

import pytest

from smarketing.core.patience import TookTooLong, at_most


def test_what_hangs_is_ended_and_what_ends_in_time_is_not() -> None:
    began = time.monotonic()
    with pytest.raises(TookTooLong, match=r"0\.05 s"), at_most(0.05):
        time.sleep(30)
    assert time.monotonic() - began < 5
    with at_most(0.05):
        pass
    time.sleep(0.1)  # the alarm was taken back
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_a_loop_of_python_is_ended_too_and_another_handler_put_back() -> None:
    former = signal.getsignal(signal.SIGALRM)
    with pytest.raises(TookTooLong), at_most(0.05):
        sum(1 for _ in itertools.count())
    assert signal.getsignal(signal.SIGALRM) == former


def test_a_thread_without_an_alarm_clock_goes_on() -> None:
    done: list[bool] = []

    def work() -> None:
        with at_most(0.01):
            time.sleep(0.05)
        done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
