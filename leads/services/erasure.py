"""Erasing a person: what it would take, doing it, and sweeping up what stands elsewhere.

What stands under the person's number goes at once, in one transaction. Their words in notices,
reports and files are found by the loop ``erasure``. Keyed hashes of their addresses stay, so that who
was erased is not contacted again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from leads.events import ErasureBegan
from leads.models import Erasure, Lead, Person, SuppressedAddress, Visitor
from leads.selectors import suppression
from leads.services import erasure_steps, erasure_sweep, people
from leads.services.erasure_steps import Subjects
from leads.services.erasure_sweep import Needles
from smarketing.core import events, loops, secrets, triggers
from smarketing.core.changes import changed
from smarketing.core.errors import Conflict, Denied
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

LOOP = "erasure"
_SHORTEST = 6


class ErasureNotAllowed(Denied):
    """The actor's role may not erase people."""


class AlreadyErased(Conflict):
    """There is nothing left of this person."""

    code = "already_erased"


@dataclass(frozen=True, slots=True)
class Planned:
    """How many rows of which table an erasure is about."""

    table: str
    rows: int
    deletes: bool

    @property
    def label(self) -> str:
        """The kind of record in words."""
        model = next((m for m in apps.get_models() if m._meta.db_table == self.table), None)
        return str(model._meta.verbose_name).capitalize() if model else self.table


def plan(*, person: Person) -> list[Planned]:
    """What would go, without touching it."""
    subjects = subjects_of(person=person)
    found = [Planned(s.table, s.count(subjects), not s.blank) for s in erasure_steps.all_steps()]
    return [each for each in found if each.rows]


@transaction.atomic
def erase(*, person: Person, reason: str, actor: User | None, now: datetime) -> Erasure:
    """Erase a person for good; there is no way back. ``actor`` ``None`` is the operator.

    Other apps hear :class:`ErasureBegan` first and end what is running about the person. Locks the
    person. Raises :class:`ErasureNotAllowed` or :class:`AlreadyErased`.
    """
    if actor is not None and not actor.may(Capability.MANAGE_PRIVACY):
        raise ErasureNotAllowed(_("Your role may not erase people."))
    locked = people.lock(pk=person.pk)
    if Erasure.objects.filter(person=locked).exists():
        raise AlreadyErased(_("This person was erased already."))
    subjects = subjects_of(person=locked)
    needles = needles_of(subjects=subjects)
    events.publish(ErasureBegan(locked.pk, tuple(subjects.leads), actor.pk if actor else None, now))
    _suppress(subjects, now)
    counts: dict[str, int] = {}
    with triggers.opened():
        for step in erasure_steps.all_steps():
            if rows := step.carry_out(subjects):
                counts[step.table] = counts.get(step.table, 0) + rows
    erasure = Erasure.objects.create(
        person=locked,
        asked_at=now,
        actor=actor,
        reason=reason[:200],
        counts=counts,
        needles=secrets.encrypt(needles.as_text()),
    )
    changed(actor=actor, action="person_erased", obj=erasure, now=now, after={"rows": sum(counts.values())})
    loops.nudge(LOOP)
    return erasure


def run_once(*, now: datetime, limit: int) -> int:
    """Sweep the whole database and the files for what is left; the loop ``erasure``.

    Interrupted, it starts over: a sweep that finds nothing changes nothing.
    """
    waiting = list(Erasure.objects.filter(swept_at=None).order_by("asked_at")[:limit])
    for erasure in waiting:
        needles = erasure_sweep.read(text=secrets.decrypt(erasure.needles))
        found = erasure_sweep.tables(needles=needles)
        in_files = erasure_sweep.files(folder=Path(settings.HOME) / "imports", needles=needles)
        for table, rows in {**found, "files": in_files}.items():
            if rows:
                erasure.counts[table] = erasure.counts.get(table, 0) + rows
        erasure.needles, erasure.swept_at = "", now
        erasure.save(update_fields=["needles", "swept_at", "counts"])
    return len(waiting)


def subjects_of(*, person: Person) -> Subjects:
    """The person with everybody merged into them, their leads and their browsers."""
    persons, fresh = [person.pk], [person.pk]
    while fresh:
        fresh = list(
            Person.objects.filter(merged_into__in=fresh).exclude(pk__in=persons).values_list("pk", flat=True)
        )
        persons += fresh
    return Subjects(
        persons=persons,
        leads=list(Lead.objects.filter(person__in=persons).order_by("pk").values_list("pk", flat=True)),
        visitors=list(Visitor.objects.filter(person__in=persons).order_by("pk").values_list("pk", flat=True)),
    )


def needles_of(*, subjects: Subjects) -> Needles:
    """What tells who they were, in all the forms in which it is written."""
    exact: list[str] = []
    names: list[str] = []
    for person in Person.objects.filter(pk__in=subjects.persons).prefetch_related("emails", "phones", "refs"):
        exact += [email.email for email in person.emails.all()]
        for phone in person.phones.all():
            digits = "".join(c for c in phone.written if c.isdigit())
            exact += [phone.e164, phone.e164.removeprefix("+"), phone.written, digits]
        exact += [ref.external_id for ref in person.refs.all() if "@" in ref.external_id]
        exact += [person.website] if len(person.website) > len("https://x.example") else []
        if person.first_name and person.last_name:
            names += [
                person.name,
                f"{person.last_name}, {person.first_name}",
                f"{person.last_name} {person.first_name}",
            ]
    exact += list(Visitor.objects.filter(pk__in=subjects.visitors).values_list("anonymous_id", flat=True))
    return Needles(_useful(exact), _useful(names))


def _useful(texts: Iterable[str]) -> tuple[str, ...]:
    """Each once; what is so short that it would be found in anything is left out."""
    return tuple(dict.fromkeys(text for text in texts if len(text) >= _SHORTEST))


def _suppress(subjects: Subjects, now: datetime) -> None:
    pairs: set[tuple[str, str]] = set()
    for person in Person.objects.filter(pk__in=subjects.persons).prefetch_related("emails", "phones"):
        pairs |= {(suppression.EMAIL, e.email) for e in person.emails.all()}
        pairs |= {(suppression.PHONE, p.e164 or p.written) for p in person.phones.all()}
    SuppressedAddress.objects.bulk_create(
        [
            SuppressedAddress(kind=kind, hash=suppression.hash_of(kind, value), created_at=now)
            for kind, value in sorted(pairs)
        ],
        update_conflicts=True,
        unique_fields=["kind", "hash"],
        update_fields=["created_at", "lifted_at"],
    )
