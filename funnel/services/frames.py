"""The version in force, and the one that waits, held for as long as something is computed by them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.db import transaction

from funnel.domain.definitions import Definition
from funnel.domain.interest import Decay
from funnel.models import DefinitionState, DefinitionVersion
from funnel.selectors import definitions
from smarketing.core.prepared import Query

_HOLD = Query("frame_held", definitions.in_force_only, ending="FOR SHARE")
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Frame:
    """A version with its rules and the frame in which its masses are meant.

    ``following`` is the frame of the signed version that waits, whose scores are kept beside those in force.
    """

    version: DefinitionVersion
    rules: Definition
    decay: Decay
    following: Frame | None = None

    def has_masses_of(self, other: Frame) -> bool:
        """Whether masses mean the same by both: the same events count, as often, and decay as fast."""
        return self.decay.half_life == other.decay.half_life and self._shape() == other._shape()

    def _shape(self) -> list[tuple[object, ...]]:
        return [(s.event, s.daily_cap, s.where) for s in self.rules.signals]


def of(*, version: DefinitionVersion) -> Frame:
    """The frame of ``version``."""
    return Frame(version, definitions.rules_of(version), definitions.decay_of(version))


def held() -> Frame:
    """The frame of the version in force, which stays so until the caller's transaction ends.

    So does the version that waits, if there is one: its waiting begins and ends on the same row. A switch
    of versions or of the landmark waits for us; one that was first makes us look again.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a frame is held by a transaction")
    for _attempt in range(_TRIES):
        # PostgreSQL returns the row as it is once the lock is ours, not as it was when we began to wait.
        if (version := _HOLD.first()) is not None:
            frame = of(version=version)
            return frame if version.followed_by_id is None else _followed(frame)
    raise DefinitionVersion.DoesNotExist("no definition is in force")


def _followed(frame: Frame) -> Frame:
    """The same with the version that waits, read after the lock: it was signed before it was named there."""
    named = DefinitionVersion.objects.filter(pk=frame.version.followed_by_id or 0)
    waiting = named.filter(state=DefinitionState.SIGNED).first()
    return frame if waiting is None else replace(frame, following=of(version=waiting))
