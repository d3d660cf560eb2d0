"""The version in force, held for as long as something is computed by it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from funnel.domain.definitions import Definition
from funnel.domain.interest import Decay
from funnel.models import DefinitionVersion
from funnel.selectors import definitions
from smarketing.core.prepared import Query

_HOLD = Query("frame_held", definitions.in_force_only, ending="FOR SHARE")
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Frame:
    """A version with its rules and the frame in which its masses are meant."""

    version: DefinitionVersion
    rules: Definition
    decay: Decay


def of(*, version: DefinitionVersion) -> Frame:
    """The frame of ``version``."""
    return Frame(version, definitions.rules_of(version), definitions.decay_of(version))


def held() -> Frame:
    """The frame of the version in force, which stays so until the caller's transaction ends.

    A switch of versions or of the landmark waits for us; one that was first makes us look again.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a frame is held by a transaction")
    for _attempt in range(_TRIES):
        # PostgreSQL returns the row as it is once the lock is ours, not as it was when we began to wait.
        if (version := _HOLD.first()) is not None:
            return of(version=version)
    raise DefinitionVersion.DoesNotExist("no definition is in force")
