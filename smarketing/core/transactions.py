"""Services that are part of somebody else's transaction.

Django's ``atomic`` makes a savepoint in every function it decorates: two statements each, where one
request passes through ten of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction


@contextmanager
def joined(*, savepoint: bool = False) -> Iterator[None]:
    """Be part of the caller's transaction, or begin one where there is none.

    For work that refuses before it has written anything, or takes back what it has written: then there
    is nothing a savepoint would have to undo, and whoever catches the refusal goes on. With
    ``savepoint`` it is ``transaction.atomic``.
    """
    if savepoint or not transaction.get_connection().in_atomic_block:
        with transaction.atomic():
            yield
    else:
        yield
