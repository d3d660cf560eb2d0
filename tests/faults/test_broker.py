"""A broker that is frozen or gone costs the web half a second once, and no request its success (F-10)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from smarketing.embedded.servers import used
from tests.faults.servers import PROJECT, environment

pytestmark = [pytest.mark.fault, pytest.mark.quick]

# Nudges as a web process does; a line on standard input asks for the next five.
_WEB = """
import json, sys, time, django
django.setup()
from smarketing import celery
from smarketing.core import loops
loops.register(loops.Loop("probe", None))
for line in sys.stdin:
    began = time.monotonic()
    for _request in range(5):
        loops.sender("probe")
    sender = loops.sender
    print(json.dumps([time.monotonic() - began, sender.sent, sender.failed, sender.skipped]), flush=True)
"""


def test_a_frozen_broker_costs_half_a_second_once(tmp_path: Path) -> None:
    with used(["valkey"], tmp_path):
        web = subprocess.Popen(
            [sys.executable, "-c", _WEB],
            cwd=PROJECT,
            env=environment(tmp_path, SMARKETING_PROCESS="web", LOG_LEVEL="ERROR"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert web.stdin is not None
        assert web.stdout is not None

        def nudge() -> tuple[float, int, int, int]:
            web.stdin.write("\n")
            web.stdin.flush()
            while not (line := web.stdout.readline()).startswith("["):
                assert line, "the process has ended"
            seconds, sent, failed, skipped = json.loads(line)
            return seconds, sent, failed, skipped

        try:
            assert nudge()[1:] == (5, 0, 0)
            broker = psutil.Process(int((tmp_path / "valkey" / "pid").read_text()))
            broker.suspend()
            try:
                seconds, *counts = nudge()
            finally:
                broker.resume()
            assert counts == [5, 1, 4]
            assert seconds < 0.5 + 0.5  # the try and some slack of a busy machine
        finally:
            web.stdin.close()
            web.wait(20)
            web.stdout.close()
