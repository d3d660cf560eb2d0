"""Source systems."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from leads.models import Source, SourceKind
from leads.services import fields
from smarketing.core.changes import changed
from smarketing.core.errors import Conflict
from smarketing.core.prepared import Query, given
from smarketing.core.transactions import joined
from smarketing.users.models import User

_OF_CODE = Query("source_of_code", lambda: Source.objects.filter(code=given("code")))


class KindDiffers(Conflict):
    """The code is taken by a source of another kind."""

    code = "source_kind_differs"


@joined()
def ensure(*, code: str, name: str = "", kind: str, now: datetime) -> Source:
    """The source called ``code``, made when there is none.

    Raises :class:`KindDiffers`, or ``BadValue`` when the code is not a slug. Two callers at once get
    the same row.
    """
    known = _OF_CODE.first(code=code)
    if known is None:
        values = fields.checked(
            model=Source,
            values={"code": code, "name": name or code, "kind": kind},
            allowed=("code", "name", "kind"),
        )
        Source.objects.bulk_create([Source(**values, created_at=now, updated_at=now)], ignore_conflicts=True)
        known = Source.objects.get(code=code)
    if known.kind != kind:
        raise KindDiffers(
            _("“%(code)s” is already a source of kind “%(kind)s”.")
            % {"code": code, "kind": SourceKind(known.kind).label}
        )
    return known


def manual(*, now: datetime) -> Source:
    """Where records come from that a colleague typed in."""
    return ensure(code="manual", name="Typed in", kind=SourceKind.MANUAL, now=now)


@transaction.atomic
def set_opening_laps(*, source: Source, opens_laps: bool, actor: User | None, now: datetime) -> Source:
    """Say whether people whom tracking of this source identifies for the first time become leads."""
    locked = Source.objects.select_for_update().get(pk=source.pk)
    if locked.opens_laps != opens_laps:
        before = {"opens_laps": locked.opens_laps}
        locked.opens_laps, locked.updated_at = opens_laps, now
        locked.save(update_fields=["opens_laps", "updated_at"])
        after = {"opens_laps": opens_laps}
        changed(actor=actor, action="source_changed", obj=locked, now=now, before=before, after=after)
    return locked


@joined()
def of_program(*, code: str, now: datetime) -> Source:
    """The source that a program names, whatever its kind; a new code is a new source of kind API.

    Without a code it is "api". Raises ``BadValue`` when the code is not a slug.
    """
    known = _OF_CODE.first(code=code or "api")
    return known or ensure(code=code or "api", kind=SourceKind.API, now=now)
