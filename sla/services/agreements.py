"""An agreement's way: draft, proposal, one signature per side over the same digest, in force.

At most one version is being drawn up at a time. Every edit clears the signatures. What is in force is
never edited: a new version is drafted from it, and clocks keep the clause they were started with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, Literal

from django.db import transaction
from django.db.models import Max

from funnel.models import Stage
from sla.domain import annex as annexes
from sla.domain import clauses as rules
from sla.domain.clauses import ClauseSpec
from sla.events import AgreementInForce
from sla.models import (
    Agreement,
    AgreementSignature,
    AgreementState,
    AgreementVersion,
    Calendar,
    Clause,
)
from sla.selectors import agreements
from sla.services import agreement_notices
from smarketing.core import events
from smarketing.core.changes import changed
from smarketing.core.errors import Conflict, Denied, FieldError, Invalid, Stale
from smarketing.users.domain.roles import Capability, Side
from smarketing.users.models import Team, User
from smarketing.users.selectors import organisation

SIGNS_FOR = {Capability.SIGN_MARKETING: Side.MARKETING, Capability.SIGN_SALES: Side.SALES}


class AgreementInvalid(Invalid):
    """The clauses can't be used; ``errors`` names each place."""

    code = "agreement_invalid"


class NotEditable(Conflict):
    """Only a draft or a proposal can be changed."""


class NotSignable(Conflict):
    """This version can't be signed now."""

    code = "agreement_not_signable"


class AlreadySigned(Conflict):
    """This side has signed this version."""

    code = "already_signed"


class NotASigner(Denied):
    """Only the managers of the two teams sign, each for their own side."""

    code = "not_a_signer"


class AgreementChanged(Stale):
    """Somebody has changed the version since it was read."""

    code = "agreement_changed"


@transaction.atomic
def draft(*, actor: User | None, now: datetime) -> AgreementVersion:
    """The version being drawn up; made from what is in force when there is none.

    Raises NotEditable while a version that both have signed waits for its day.
    """
    agreement = _lock()
    present = _version(agreement, agreements.COMING_STATES)
    if present is not None and present.state == AgreementState.SIGNED:
        raise NotEditable("The next version is signed already and waits for its day.")
    if present is not None:
        return present
    source = _version(agreement, [AgreementState.IN_FORCE])
    last = agreement.versions.aggregate(last=Max("number"))["last"] or 0
    version = AgreementVersion.objects.create(
        agreement=agreement, number=last + 1, author=actor, created_at=now, updated_at=now
    )
    if source is not None:
        version.annex = source.annex
    _write_clauses(version, agreements.specs_of(source) if source else [], now)
    changed(actor=actor, action="agreement_drafted", obj=version, now=now)
    return version


@transaction.atomic
def update(
    *,
    version: AgreementVersion,
    clauses: Any = "keep",
    annex: Any = "keep",
    effective_on: date | None | Literal["keep"] = "keep",
    actor: User | None,
    now: datetime,
    expected_version: int | None = None,
) -> AgreementVersion:
    """Replace clauses, annex or the day it takes effect; signatures are cleared, a proposal is a draft again.

    ``clauses`` is a list as ``sla.domain.clauses.parse`` reads it, ``annex`` an object as
    ``sla.domain.annex.parse`` does; what is not given stays. Raises AgreementInvalid, NotEditable,
    AgreementChanged.
    """
    _lock()
    locked = _fresh(version, expected_version)
    if locked.state not in agreements.OPEN_STATES:
        raise NotEditable("What is in force is not edited. Draft a new version.")
    before = _document(locked)
    specs = agreements.specs_of(locked) if clauses == "keep" else _checked(clauses)
    if annex != "keep":
        locked.annex = _checked_annex(annex)
    if effective_on != "keep":
        locked.effective_on = effective_on
    locked.signatures.all().delete()
    _write_clauses(locked, specs, now, state=AgreementState.DRAFT)
    changed(
        actor=actor, action="agreement_edited", obj=locked, before=before, after=_document(locked), now=now
    )
    return locked


@transaction.atomic
def propose(
    *, version: AgreementVersion, actor: User | None, now: datetime, expected_version: int | None = None
) -> AgreementVersion:
    """Ask both sides to sign the draft as it stands. Raises NotEditable, AgreementInvalid."""
    _lock()
    locked = _fresh(version, expected_version)
    if locked.state != AgreementState.DRAFT:
        raise NotEditable("Only a draft can be proposed.")
    _checked([spec.to_json() for spec in agreements.specs_of(locked)])
    _set_state(locked, AgreementState.PROPOSED, now)
    changed(actor=actor, action="agreement_proposed", obj=locked, now=now)
    agreement_notices.proposed(version=locked, actor=actor, now=now)
    return locked


@transaction.atomic
def discard(*, version: AgreementVersion, actor: User | None, now: datetime) -> None:
    """Throw a draft or proposal away. Raises NotEditable."""
    _lock()
    locked = _fresh(version, None)
    if locked.state not in agreements.OPEN_STATES:
        raise NotEditable("What was in force stays on record.")
    changed(
        actor=actor,
        action="agreement_discarded",
        obj=locked,
        before=_document(locked),
        now=now,
    )
    locked.delete()


@transaction.atomic
def sign(*, version: AgreementVersion, digest: str, signer: User, now: datetime) -> AgreementVersion:
    """Sign for the signer's side what carries ``digest``; with both signatures it is in force.

    One with a day of its own waits for that day. The former version retires at the same instant. The
    version a new installation starts with is in force before anybody has signed; it is signed by the
    same call. Raises NotASigner, NotSignable, AlreadySigned, AgreementChanged.
    """
    side = side_of(signer=signer)
    if side is None:
        raise NotASigner("Only a marketing manager and a sales manager sign, each for their team.")
    agreement = _lock()
    locked = _fresh(version, None)
    if locked.state not in (AgreementState.PROPOSED, AgreementState.IN_FORCE):
        raise NotSignable("Only a proposal can be signed.")
    if not digest or digest != locked.digest or digest != agreements.digest_of(locked):
        raise AgreementChanged("The text has changed since you read it. Read it again and sign that.")
    if locked.signatures.filter(side=side).exists():
        raise AlreadySigned("Your side has signed this version already.")
    AgreementSignature.objects.create(version=locked, side=side, signer=signer, digest=digest, signed_at=now)
    changed(
        actor=signer, action="agreement_signed", obj=locked, after={"side": side, "digest": digest}, now=now
    )
    agreement_notices.signed(version=locked, side=side, signer=signer, now=now)
    if locked.state == AgreementState.PROPOSED and locked.signatures.filter(digest=digest).count() == len(
        Side
    ):
        if locked.effective_on is not None and now < effective_from(day=locked.effective_on):
            _set_state(locked, AgreementState.SIGNED, now)
        else:
            _put_in_force(agreement, locked, now)
    return locked


def effective_from(*, day: date) -> datetime:
    """The instant at which a version with this day takes effect: its start where the organisation is."""
    return datetime.combine(day, time.min, tzinfo=organisation.zone())


@transaction.atomic
def run_once(*, now: datetime, limit: int = 1) -> int:
    """Put a version in force whose day has come, dated by that day."""
    del limit
    waiting = AgreementVersion.objects.filter(state=AgreementState.SIGNED, effective_on__isnull=False).first()
    if waiting is None or waiting.effective_on is None or now < effective_from(day=waiting.effective_on):
        return 0
    agreement = _lock()
    locked = _fresh(waiting, None)
    if locked.state != AgreementState.SIGNED or locked.effective_on is None:
        return 0
    _put_in_force(agreement, locked, effective_from(day=locked.effective_on), now)
    return 1


def side_of(*, signer: User) -> Side | None:
    """For which side this user may sign."""
    return next((side for capability, side in SIGNS_FOR.items() if signer.may(capability)), None)


def _put_in_force(
    agreement: Agreement, version: AgreementVersion, at: datetime, now: datetime | None = None
) -> None:
    now = now or at
    former = _version(agreement, [AgreementState.IN_FORCE])
    if former is not None:
        # One that was made after the day this takes effect (a past that is told later) was never in force.
        former.in_force_from = min(former.in_force_from or at, at)
        former.retired_at = at
        _set_state(former, AgreementState.RETIRED, now)
    version.in_force_from = at
    _set_state(version, AgreementState.IN_FORCE, now)
    agreement_notices.in_force(version=version, now=now)
    events.publish(AgreementInForce(version_id=version.pk, number=version.number, now=now))


def _lock() -> Agreement:
    """The one agreement, locked: drawing up and signing happen one after the other."""
    return Agreement.objects.select_for_update().order_by("pk")[:1].get()


def _version(agreement: Agreement, states: Sequence[str]) -> AgreementVersion | None:
    return agreement.versions.filter(state__in=states).order_by("-number").first()


def _fresh(version: AgreementVersion, expected: int | None) -> AgreementVersion:
    locked = AgreementVersion.objects.select_for_update().get(pk=version.pk)
    if expected is not None and locked.version != expected:
        raise AgreementChanged("Somebody has changed this version. Look at it and change that one.")
    return locked


def _checked(data: Any) -> tuple[ClauseSpec, ...]:
    try:
        specs = rules.parse(data)
    except rules.ClausesInvalid as invalid:
        errors = [FieldError(p.field, p.code, p.detail) for p in invalid.problems]
        raise AgreementInvalid("Some clauses can't be used as they are.", errors=errors) from invalid
    errors = []
    calendars = set(Calendar.objects.values_list("pk", flat=True))
    teams = set(Team.objects.values_list("pk", flat=True))
    people = {i for s in specs for i in (s.accountable, s.backup) if i}
    known = set(User.objects.active().filter(pk__in=people).values_list("pk", flat=True))
    for i, spec in enumerate(specs):
        if spec.calendar is not None and spec.calendar not in calendars:
            errors.append(FieldError(f"clauses.{i}.calendar", "unknown", "There is no such calendar."))
        if spec.team is not None and spec.team not in teams:
            errors.append(FieldError(f"clauses.{i}.population", "unknown", "There is no such team."))
        for name in ("accountable", "backup"):
            person = getattr(spec, name)
            if person is not None and person not in known:
                errors.append(FieldError(f"clauses.{i}.{name}", "unknown", "There is no such colleague."))
    if errors:
        raise AgreementInvalid("Some clauses can't be used as they are.", errors=errors)
    return specs


def _write_clauses(
    version: AgreementVersion, specs: Sequence[ClauseSpec], now: datetime, state: str = AgreementState.DRAFT
) -> None:
    version.clauses.all().delete()
    Clause.objects.bulk_create(
        Clause(
            version=version,
            position=position,
            side=spec.side,
            metric=spec.metric,
            comparator=spec.comparator,
            target=spec.target,
            period=spec.period,
            calendar_id=spec.calendar,
            population=spec.population,
            terms=dict(spec.terms),
            grace_seconds=spec.grace_seconds,
            accountable_id=spec.accountable,
            backup_id=spec.backup,
        )
        for position, spec in enumerate(specs, start=1)
    )
    version.digest = rules.digest(specs, annex=version.annex, effective_on=version.effective_on)
    _set_state(version, state, now)


def _set_state(version: AgreementVersion, state: str, now: datetime) -> None:
    version.state = state
    version.updated_at = now
    version.version += 1
    version.save(
        update_fields=[
            "state", "digest", "annex", "effective_on", "in_force_from", "retired_at", "updated_at",
            "version",
        ]
    )  # fmt: skip


def _document(version: AgreementVersion) -> dict[str, Any]:
    day = version.effective_on
    return {
        "clauses": [spec.to_json() for spec in agreements.specs_of(version)],
        "annex": version.annex,
        "effective_on": day.isoformat() if day else None,
    }


def _checked_annex(data: Any) -> Mapping[str, Any]:
    try:
        return annexes.parse(data, stages=frozenset(Stage.objects.values_list("code", flat=True)))
    except annexes.AnnexInvalid as invalid:
        errors = [FieldError(f.field, f.code, f.detail) for f in invalid.faults]
        raise AgreementInvalid("Some parts can't be used as they are.", errors=errors) from invalid
