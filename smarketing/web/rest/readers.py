"""Input serializers that are made once per thread.

Django REST framework copies every field of a serializer for each request, which costs more than the
validation. A serializer whose fields depend on nothing but the code says ``is_kept = True`` and is used
again; what belongs to the request (view, actor) is its context, which is put in for the time of use.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_kept = threading.local()


@contextmanager
def reader(cls: type[Any], context: Mapping[str, Any], *, partial: bool = False) -> Iterator[Any]:
    """A serializer of this class for one request; ask it ``run_validation(data)``."""
    if not getattr(cls, "is_kept", False):
        yield cls(context=context, partial=partial)
        return
    known: dict[Any, Any] = _kept.__dict__
    serializer = known.get((cls, partial))
    if serializer is None:
        serializer = known[cls, partial] = cls(partial=partial)
    serializer._context = context
    try:
        yield serializer
    finally:
        serializer._context = {}
