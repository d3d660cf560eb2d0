"""Work that takes longer than a task may: done by a command in a process of its own.

The process outlives the task that started it and ends by itself. It is started anew by the next pass
of its loop when it has died, so nothing may depend on its being alive.
"""

from __future__ import annotations

import os
import subprocess
import sys

from smarketing import env


def start(command: str, *arguments: str) -> int:
    """Start ``manage.py COMMAND`` and return its process number at once.

    It is a "command" for the limits of the database (no statement is cut off), and writes its logs
    where its parent does.
    """
    environment = {
        **os.environ,
        "SMARKETING_PROCESS": "command",
        "LOG_FORMAT": env.LOG_FORMAT,
        "LOG_LEVEL": env.LOG_LEVEL,
    }
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "manage.py", command, *arguments],
        cwd=env.BASE_DIR,
        env=environment,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    return process.pid
