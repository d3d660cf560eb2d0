"""When Python looks for garbage in circles: not in the middle of a batch."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def left_alone() -> Iterator[None]:
    """No search for circles while a batch is worked on, in the whole process; the batch may not last long.

    A batch makes some hundred thousand objects that end with it, none of them in circles. Looking for circles
    among them, and among all that the process holds, at every seven hundredth takes a tenth of its time.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
