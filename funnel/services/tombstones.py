"""Writing, meeting and lifting tombstones: nobody who was refused is delivered again (R113, N6).

Whoever writes a tombstone waits for deliveries of those whom its keys recognise, and a delivery waits
for the writer (advisory locks per key), so that a lead is either delivered before or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from funnel.domain import tombstones as rules
from funnel.domain.handoffs import RETURN_REASONS
from funnel.domain.tombstones import Reopen, Scope
from funnel.models import (
    Handoff,
    Inlet,
    MeetingOutcome,
    MoveCause,
    Product,
    StageTransition,
    Tombstone,
    TombstoneHit,
    TombstoneKey,
    TombstoneKeyKind,
    TombstoneReason,
)
from funnel.selectors import tombstones as reads
from funnel.services import tombstone_statements as statements
from leads.domain.identities import is_free_mail
from leads.models import Company, Person
from leads.services import companies, identifiers
from smarketing.audit.services import entries
from smarketing.core import locks
from smarketing.core.errors import Conflict, Denied, FieldError, Invalid
from smarketing.core.keysets import among
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User
from smarketing.users.selectors import organisation

TAKEN_BACK = "disqualification taken back"


class NothingRefused(Invalid):
    """A tombstone has to say whom it refuses, and until when."""

    code = "nothing_refused"


class LiftNotAllowed(Denied):
    """Lifting a tombstone is a manager's."""

    code = "lift_not_allowed"


class LiftNeedsReason(Invalid):
    """Whoever lifts a tombstone says why."""

    code = "lift_needs_reason"


class AlreadyLifted(Conflict):
    """The tombstone refuses nobody any more."""

    code = "already_lifted"


@transaction.atomic
def write_for_leads(
    *, lead_ids: Collection[int], reason: str, note: str = "", author: User | None, now: datetime
) -> list[int]:
    """Refuse the persons of these leads, as a disqualification for ``reason`` says; return the ids.

    A lead that has written a tombstone in force writes no second one; a reason that refuses nobody
    (already being worked) writes none. The number of statements does not grow with the leads.
    """
    refusal = rules.REFUSALS.get(reason)
    if refusal is None or not lead_ids:
        return []
    made = statements.insert_for_leads(
        lead_ids=lead_ids, refusal=refusal, reason=reason, note=note, author=author, now=now
    )
    _settle(made, now=now)
    return made


@transaction.atomic
def add(
    *,
    scope: str,
    reason: str = TombstoneReason.OTHER,
    note: str = "",
    person: Person | None = None,
    company: Company | None = None,
    product: Product | None = None,
    emails: Collection[str] = (),
    phones: Collection[str] = (),
    domain: str = "",
    reopen: str = Reopen.NEVER,
    expires_at: datetime | None = None,
    actor: User,
    now: datetime,
) -> Tombstone:
    """Refuse somebody by hand: a person by record, address or number, or a company by record or domain.

    Handoffs that wait for an answer stay where they are; nothing new is delivered. Kept in the audit
    trail. Raises :class:`NothingRefused`, ``BadEmail``, ``BadPhone``.
    """
    employer = company or (person.company if person else None)
    keys = _company_keys(company, domain) if scope == Scope.COMPANY else _person_keys(person, emails, phones)
    _check(scope, reopen, keys, employer=employer, product=product, expires_at=expires_at, now=now)
    tombstone = Tombstone.objects.create(
        scope=scope,
        reason=reason,
        note=note.strip()[:500],
        reopen=reopen,
        label=(_label(person, company) or keys[-1][1])[:255],
        company=employer,
        product=product,
        author=actor,
        expires_at=expires_at,
        created_at=now,
        updated_at=now,
    )
    TombstoneKey.objects.bulk_create(
        TombstoneKey(tombstone=tombstone, kind=kind, value=value) for kind, value in dict.fromkeys(keys)
    )
    _settle([tombstone.pk], now=now)
    entries.record(
        actor=actor,
        action="tombstone.added",
        obj=tombstone,
        after={"scope": scope, "reason": reason, "reopen": reopen, "note": tombstone.note},
        now=now,
    )
    return tombstone


@transaction.atomic(savepoint=False)
def after_move(*, lead_id: int, from_stage: str | None, to_stage: str, cause: str, now: datetime) -> None:
    """A lead was disqualified by hand or by its source: refuse its person. One that was taken back is
    refused no longer.
    """
    if to_stage == "disqualified" and cause != MoveCause.RETURNED:
        last = StageTransition.objects.filter(lead=lead_id).select_related("actor").order_by("-seq")[0]
        write_for_leads(
            lead_ids=[lead_id], reason=rules.BY_HAND, note=last.reason, author=last.actor, now=now
        )
    elif from_stage == "disqualified":
        lifted = Tombstone.objects.filter(lead=lead_id, lifted_at=None)
        lifted.update(lifted_at=now, lift_reason=TAKEN_BACK, updated_at=now)


@transaction.atomic
def after_return(*, handoff_id: int, now: datetime) -> list[int]:
    """Sales gave a lead back for a reason that refuses its person for ever."""
    handoff = Handoff.objects.select_related("answered_by").get(pk=handoff_id)
    if not RETURN_REASONS[handoff.return_reason].refuses_for_ever:
        return []
    return write_for_leads(
        lead_ids=[handoff.lead_id],
        reason=handoff.return_reason,
        note=handoff.return_note,
        author=handoff.answered_by,
        now=now,
    )


@transaction.atomic
def lift(*, tombstone: Tombstone, reason: str, actor: User, now: datetime) -> Tombstone:
    """Let those in again whom it refused; kept in the audit trail.

    Raises :class:`LiftNotAllowed`, :class:`LiftNeedsReason`, :class:`AlreadyLifted`.
    """
    if not actor.may(Capability.LIFT_TOMBSTONES):
        raise LiftNotAllowed(_("Only a manager can lift a tombstone."))
    if not reason.strip():
        raise LiftNeedsReason(_("Say why they may be delivered again."))
    (locked,) = locks.rows(Tombstone.objects.all(), [tombstone.pk])
    if locked.lifted_at is not None:
        raise AlreadyLifted(_("This tombstone was lifted already."))
    locked.lifted_at, locked.lifted_by, locked.lift_reason = now, actor, reason.strip()[:500]
    locked.version, locked.updated_at = locked.version + 1, now
    locked.save(update_fields=["lifted_at", "lifted_by", "lift_reason", "version", "updated_at"])
    entries.record(
        actor=actor,
        action="tombstone.lifted",
        obj=locked,
        before={"lifted": False},
        after={"lifted": True, "reason": locked.lift_reason},
        now=now,
    )
    return locked


@transaction.atomic(savepoint=False)
def stopped(*, lead_ids: Collection[int], now: datetime) -> set[int]:
    """Which of these leads may not be delivered; each is written down as a blocked redelivery.

    One that the rule of a tombstone lets through leaves a trace: a row and an audit entry. Leads that
    wait for their turn are asked under the locks of their keys.
    """
    given = reads.parameters(lead_ids, now=now)
    if given is None:
        return set()
    met = statements.meet(given=given, inlet=Inlet.GATE)
    for row in met:
        if row.is_open and row.is_new:
            _trace(row.tombstone_id, row.lead_id, now=now)
    return {row.lead_id for row in met if not row.is_open}


@transaction.atomic(savepoint=False)
def note_captured(*, lead_ids: Collection[int], now: datetime) -> int:
    """Fresh leads of people who are refused: they are kept, counted, and will not be delivered."""
    given = reads.parameters(lead_ids, now=now)
    return len(statements.meet(given=given, inlet=None)) if given is not None else 0


def hold(*, lead_ids: Collection[int]) -> None:
    """Keep tombstones about these leads from being written until the caller's transaction ends."""
    statements.lock_known(lead_ids=lead_ids)


@transaction.atomic
def join(
    *, survivor_id: int, merged_id: int, now: datetime, kind: str = TombstoneKeyKind.PERSON
) -> list[int]:
    """Two records are one: what refuses either refuses the survivor. Returns the new keys' ids.

    Addresses and numbers move to the survivor by themselves; the record's own key is added.
    """
    refusing = TombstoneKey.objects.filter(kind=kind, value=str(merged_id))
    mine = TombstoneKey.objects.filter(kind=kind, value=str(survivor_id))
    missing = refusing.exclude(tombstone__in=mine.values("tombstone")).order_by("tombstone_id")
    rows = [
        TombstoneKey(tombstone_id=pk, kind=kind, value=str(survivor_id))
        for pk in missing.values_list("tombstone_id", flat=True)
    ]
    known = list(mine.values_list("tombstone_id", flat=True))
    made = TombstoneKey.objects.bulk_create(rows)
    # Whoever came along is in a rep's hands already, though one of the two was refused.
    statements.note_earlier(tombstone_ids=[*known, *(row.tombstone_id for row in made)], now=now)
    return [row.pk for row in made]


@transaction.atomic
def forget(*, person_id: int, now: datetime) -> int:
    """Erase a person from the tombstones that recognise them; return how many are kept by hash alone.

    What is left of each is the keyed hash of the e-mail addresses, the reason and the rule.
    """
    mine = TombstoneKey.objects.filter(kind=TombstoneKeyKind.PERSON, value=str(person_id))
    ids = list(mine.order_by("tombstone_id").values_list("tombstone_id", flat=True))
    locks.rows(Tombstone.objects.all(), ids)
    clear = TombstoneKey.objects.filter(tombstone__in=ids)
    clear.exclude(kind=TombstoneKeyKind.EMAIL_HASH).delete()
    TombstoneHit.objects.filter(tombstone__in=ids, lead__person=person_id).delete()
    return Tombstone.objects.filter(pk__in=ids).update(
        label="", note="", lead=None, company=None, erased_at=now, updated_at=now
    )


def _settle(tombstone_ids: Sequence[int], *, now: datetime) -> None:
    if not tombstone_ids:
        return
    emails = TombstoneKey.objects.filter(tombstone__in=among(tombstone_ids), kind=TombstoneKeyKind.EMAIL)
    TombstoneKey.objects.bulk_create(
        (
            TombstoneKey(tombstone_id=pk, kind=TombstoneKeyKind.EMAIL_HASH, value=reads.email_hash(address))
            for pk, address in emails.order_by("pk").values_list("tombstone_id", "value")
        ),
        batch_size=5000,
        ignore_conflicts=True,
    )
    statements.lock_keys(tombstone_ids=tombstone_ids)
    statements.note_earlier(tombstone_ids=tombstone_ids, now=now)


def _trace(tombstone_id: int, lead_id: int, *, now: datetime) -> None:
    tombstone = Tombstone.objects.get(pk=tombstone_id)
    entries.record(
        actor=None,
        action="tombstone.reopened",
        obj=tombstone,
        after={"lead": lead_id, "rule": tombstone.reopen, "outcome": str(MeetingOutcome.REOPENED)},
        now=now,
    )


def _label(person: Person | None, company: Company | None) -> str:
    return (person.name if person else "") or (company.name if company else "")


def _company_keys(company: Company | None, domain: str) -> list[tuple[str, str]]:
    hosts = [companies.domain_of(text=text) for text in (domain, company.domain if company else "") if text]
    if any(is_free_mail(host) for host in hosts):
        raise _refused("domain", _("Everybody may have an address there; name the person instead."))
    keys: list[tuple[str, str]] = [(TombstoneKeyKind.COMPANY, str(company.pk))] if company else []
    return keys + [(TombstoneKeyKind.DOMAIN, host) for host in hosts if host]


def _person_keys(
    person: Person | None, emails: Collection[str], phones: Collection[str]
) -> list[tuple[str, str]]:
    keys: list[tuple[str, str]] = [(TombstoneKeyKind.PERSON, str(person.pk))] if person else []
    known = list(person.emails.order_by("pk").values_list("email", flat=True)) if person else []
    keys += [(TombstoneKeyKind.EMAIL, e) for e in identifiers.emails_of(texts=[*known, *emails])]
    mobiles = person.phones.filter(is_mobile=True).exclude(e164="") if person else None
    keys += [(TombstoneKeyKind.PHONE, p.e164) for p in mobiles or ()]
    for phone in identifiers.phones_of(texts=phones, country=organisation.current().country):
        if not phone.e164:
            raise _refused("phones", _("Give the number with its country code, such as +49 30 1234567."))
        keys.append((TombstoneKeyKind.PHONE, phone.e164))
    return keys


def _check(
    scope: str,
    reopen: str,
    keys: Sequence[tuple[str, str]],
    *,
    employer: Company | None,
    product: Product | None,
    expires_at: datetime | None,
    now: datetime,
) -> None:
    if not keys:
        field = "company" if scope == Scope.COMPANY else "emails"
        raise _refused(field, _("Name whom it refuses: a record, an address, a number or a domain."))
    if product is None and (scope == Scope.PRODUCT or reopen == Reopen.NEW_PRODUCT):
        raise _refused("product", _("Name the product that is meant."))
    if reopen == Reopen.NEW_COMPANY and (scope == Scope.COMPANY or employer is None):
        raise _refused("reopen", _("This rule needs a person whose company is known."))
    if expires_at is not None and (expires_at.tzinfo is None or expires_at <= now):
        raise _refused("expires_at", _("Give a time that is still to come, with its zone."))


def _refused(field: str, detail: str) -> NothingRefused:
    return NothingRefused(detail, errors=[FieldError(field, NothingRefused.code, detail)])
