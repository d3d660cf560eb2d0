"""A definition's way: draft, proposal, one signature per side over the same digest, in force (N1, N2).

At most one version is being drawn up at a time. Every edit clears the signatures. What was in force is
never edited, which the database keeps too. With the second signature the version waits until everybody
has their score by it, and for the day that its document names; then all scores switch at once. Nobody who
qualified or was delivered is taken back.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any, Literal

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from funnel.domain.definitions import Definition
from funnel.domain.definitions import digest as digest_of
from funnel.domain.drafts import DefinitionInvalid, parse
from funnel.events import DefinitionInForce
from funnel.models import DefinitionSignature, DefinitionState, DefinitionVersion, Filling
from funnel.selectors import definitions
from funnel.services import definition_notices, frames, promoting, rescoring, shadow
from smarketing.core import events, locks
from smarketing.core.changes import changed
from smarketing.core.errors import Conflict, Denied, FieldError, Invalid, Stale
from smarketing.users.domain.roles import Capability, Side
from smarketing.users.models import User
from smarketing.users.selectors import organisation

OPEN_STATES = (DefinitionState.DRAFT, DefinitionState.PROPOSED)
LOOP = "definitions"
SIGNS_FOR = {Capability.SIGN_MARKETING: Side.MARKETING, Capability.SIGN_SALES: Side.SALES}


class DefinitionNotUsable(Invalid):
    """The document can't be used; ``errors`` names each place and how to mend it."""

    code = "definition_invalid"


class DefinitionNotEditable(Conflict):
    """Only a draft or a proposal can be changed."""

    code = "definition_not_editable"


class DefinitionNotSignable(Conflict):
    """This version can't be signed now, or this side has signed it."""

    code = "definition_not_signable"


class EditNotAllowed(Denied):
    """Drawing up a definition is the managers'."""

    code = "definition_edit_not_allowed"


class NotASigner(Denied):
    """Only the managers of the two teams sign, each for their own side."""

    code = "not_a_signer"


class DefinitionChanged(Stale):
    """Somebody has changed the version since it was read."""


@transaction.atomic
def create_draft(*, actor: User | None, now: datetime, body: Any = None, name: str = "") -> DefinitionVersion:
    """The version being drawn up; made from what is in force, or from ``body``, when there is none.

    The day of what is in force is not taken along. Raises :class:`EditNotAllowed`,
    :class:`DefinitionNotUsable`, and :class:`DefinitionNotEditable` while a signed version waits for its day.
    """
    _check_may_edit(actor)
    _lock()
    if DefinitionVersion.objects.filter(state=DefinitionState.SIGNED).exists():
        detail = _("The next version is signed and waits for its day. Take it back to change it.")
        raise DefinitionNotEditable(detail)
    present = DefinitionVersion.objects.filter(state__in=OPEN_STATES).first()
    if present is not None:
        return present
    source = DefinitionVersion.objects.get(state=DefinitionState.IN_FORCE)
    begun = {k: v for k, v in source.body.items() if k != "effective_on"} if body is None else body
    rules = _checked(begun)
    last = DefinitionVersion.objects.aggregate(last=Max("number"))["last"] or 0
    version = DefinitionVersion.objects.create(
        number=last + 1,
        name=(name.strip() or _("Definition %(number)s") % {"number": last + 1})[:120],
        body=dict(rules.document),
        digest=rules.digest,
        landmark=source.landmark,
        author=actor,
        created_at=now,
        updated_at=now,
    )
    changed(actor=actor, action="definition_drafted", obj=version, now=now)
    return version


@transaction.atomic
def update_draft(
    *,
    definition: DefinitionVersion,
    body: Any = None,
    name: str | None = None,
    actor: User | None,
    now: datetime,
    expected_version: int | None = None,
) -> DefinitionVersion:
    """Replace the document, the name or both; signatures are cleared and a proposal is a draft again.

    What is None stays as it is. Raises :class:`EditNotAllowed`, :class:`DefinitionNotEditable`,
    :class:`DefinitionChanged`, :class:`DefinitionNotUsable`.
    """
    _check_may_edit(actor)
    locked = _fresh(definition, expected_version)
    if locked.state not in OPEN_STATES:
        raise DefinitionNotEditable(_("What is in force is not edited. Draft a new version."))
    rules = _checked(locked.body if body is None else body)
    before = locked.body
    locked.signatures.all().delete()
    locked.body, locked.digest, locked.state = dict(rules.document), rules.digest, DefinitionState.DRAFT
    if name is not None and name.strip():
        locked.name = name.strip()[:120]
    _save(locked, ["body", "digest", "state", "name"], now=now)
    changed(actor=actor, action="definition_edited", obj=locked, before=before, after=locked.body, now=now)
    return locked


@transaction.atomic
def propose(
    *,
    definition: DefinitionVersion,
    actor: User | None,
    now: datetime,
    expected_version: int | None = None,
    effective_on: date | None | Literal["keep"] = "keep",
) -> DefinitionVersion:
    """Ask both sides to sign the draft as it stands; both are told.

    ``effective_on`` is the day from which it is to hold, None for as soon as both have signed; by default
    what the draft says. It is part of what is signed. Raises :class:`EditNotAllowed`,
    :class:`DefinitionNotEditable`, :class:`DefinitionChanged`, and :class:`DefinitionNotUsable` for a day
    that is over.
    """
    _check_may_edit(actor)
    locked = _fresh(definition, expected_version)
    if locked.state != DefinitionState.DRAFT:
        raise DefinitionNotEditable(_("Only a draft can be proposed."))
    body = dict(locked.body)
    if effective_on != "keep":
        body["effective_on"] = effective_on.isoformat() if effective_on else None
    rules = _checked(body)
    if rules.effective_on is not None and rules.effective_on < now.astimezone(organisation.zone()).date():
        detail = _("This day is over. Choose today or a later day, or none.")
        raise DefinitionNotUsable(detail, errors=[FieldError("effective_on", "past", detail)])
    locked.body, locked.digest, locked.state = dict(rules.document), rules.digest, DefinitionState.PROPOSED
    _save(locked, ["body", "digest", "state"], now=now)
    changed(actor=actor, action="definition_proposed", obj=locked, now=now)
    definition_notices.proposed(version=locked, actor=actor, now=now)
    return locked


@transaction.atomic
def discard(*, definition: DefinitionVersion, actor: User | None, now: datetime) -> None:
    """Throw a draft or proposal away. Raises :class:`EditNotAllowed`, :class:`DefinitionNotEditable`."""
    _check_may_edit(actor)
    locked = _fresh(definition, None)
    if locked.state not in OPEN_STATES:
        raise DefinitionNotEditable(_("What was in force stays on record."))
    changed(actor=actor, action="definition_discarded", obj=locked, before=locked.body, now=now)
    locked.delete()


@transaction.atomic
def take_back(*, definition: DefinitionVersion, actor: User | None, now: datetime) -> DefinitionVersion:
    """Make a signed version that waits for its day a draft again; its signatures are cleared, all are told.

    Raises :class:`EditNotAllowed`, :class:`DefinitionNotEditable`.
    """
    _check_may_edit(actor)
    locked = _fresh(definition, None)
    if locked.state != DefinitionState.SIGNED:
        raise DefinitionNotEditable(_("Only a signed version that waits for its day can be taken back."))
    shadow.drop(version=locked)
    locked.signatures.all().delete()
    locked.state = DefinitionState.DRAFT
    _save(locked, ["state"], now=now)
    changed(actor=actor, action="definition_taken_back", obj=locked, now=now)
    definition_notices.taken_back(version=locked, actor=actor, now=now)
    return locked


@transaction.atomic
def sign(
    *, definition: DefinitionVersion, signer: User, now: datetime, digest: str | None = None
) -> DefinitionVersion:
    """Sign for the signer's side; with both signatures over one digest the version is in force, or waits.

    ``digest`` is what the signer has read, by default that of ``definition`` as it was loaded. The
    version a new installation starts with is in force unsigned and can be signed by the same call.
    Raises :class:`NotASigner`, :class:`DefinitionNotSignable`, :class:`DefinitionChanged`.
    """
    side = side_of(signer=signer)
    if side is None:
        detail = _("Only a marketing manager and a sales manager sign, each for their team.")
        raise NotASigner(detail)
    read = definition.digest if digest is None else digest
    locked = _fresh(definition, None)
    if locked.state not in (DefinitionState.PROPOSED, DefinitionState.IN_FORCE):
        raise DefinitionNotSignable(_("Only a proposal can be signed."))
    if read != locked.digest or read != digest_of(locked.body):
        raise DefinitionChanged(_("The text has changed since you read it. Read it again and sign that."))
    if locked.signatures.filter(side=side).exists():
        raise DefinitionNotSignable(_("Your side has signed this version already."))
    DefinitionSignature.objects.create(
        definition=locked, side=side, signer=signer, digest=read, signed_at=now
    )
    changed(
        actor=signer, action="definition_signed", obj=locked, after={"side": side, "digest": read}, now=now
    )
    if locked.state == DefinitionState.PROPOSED and locked.signatures.filter(digest=read).count() == len(
        Side
    ):
        _wait(locked, now=now)
        day = definitions.rules_of(locked).effective_on
        if day is not None and now < effective_from(day=day):
            definition_notices.signed(version=locked, day=day, now=now)
        elif _is_filled(locked, now=now):
            _put_in_force(locked, at=now, now=now)
    return locked


def effective_from(*, day: date) -> datetime:
    """The instant at which a version with this day takes effect: its start where the organisation is."""
    return datetime.combine(day, time.min, tzinfo=organisation.zone())


@transaction.atomic
def run_once(*, now: datetime, limit: int = 1) -> int:
    """Put a signed version in force whose day has come and that everybody is scored by; the loop calls it.

    One with a day holds from the start of that day, one without from ``now``.
    """
    del limit
    waiting = DefinitionVersion.objects.filter(state=DefinitionState.SIGNED).first()
    if waiting is None or (now < _due(waiting, now=now) and definitions.in_force().followed_by_id):
        return 0
    locked = _fresh(waiting, None)
    if locked.state == DefinitionState.SIGNED and not Filling.objects.filter(definition=locked).exists():
        _wait(locked, now=now)  # signed by a release that scored only after the switch
    at = _due(locked, now=now)
    if locked.state != DefinitionState.SIGNED or now < at or not _is_filled(locked, now=now):
        return 0
    _put_in_force(locked, at=at, now=now)
    return 1


def _due(version: DefinitionVersion, *, now: datetime) -> datetime:
    day = definitions.rules_of(version).effective_on
    return effective_from(day=day) if day else now


def _wait(version: DefinitionVersion, *, now: datetime) -> None:
    """Both have signed: from here on everybody is scored by this version besides the one in force."""
    former = DefinitionVersion.objects.get(state=DefinitionState.IN_FORCE)
    version.state = DefinitionState.SIGNED
    version.landmark = rescoring.landmark_after(old=former, new=parse(version.body), now=now)
    _save(version, ["state", "landmark"], now=now)
    shadow.begin(version=version)


def _is_filled(version: DefinitionVersion, *, now: datetime) -> bool:
    """Whether everybody is scored by it; few people are at once, the loop does the rest of many."""
    shadow.fill(now=now, limit=rescoring.BATCH)
    return shadow.is_full(version=version)


def side_of(*, signer: User) -> Side | None:
    """For which side this user may sign."""
    return next((side for capability, side in SIGNS_FOR.items() if signer.may(capability)), None)


def _put_in_force(version: DefinitionVersion, *, at: datetime, now: datetime) -> None:
    """Retire the former version and let all scores be those of this one, which has been filled."""
    former = DefinitionVersion.objects.select_for_update().get(state=DefinitionState.IN_FORCE)
    former.state, former.retired_at, former.followed_by = DefinitionState.RETIRED, at, None
    _save(former, ["state", "retired_at", "followed_by"], now=now)
    version.state, version.in_force_from = DefinitionState.IN_FORCE, at
    if frames.of(version=former).has_masses_of(frames.of(version=version)):
        version.landmark = former.landmark
    _save(version, ["state", "in_force_from", "landmark"], now=now)
    promoting.promote(old=former, new=version, at=at, now=now)
    events.publish(DefinitionInForce(definition_id=version.pk, number=version.number, now=now))
    definition_notices.in_force(version=version, now=now)


def _checked(body: Any) -> Definition:
    try:
        return parse(body)
    except DefinitionInvalid as invalid:
        errors = [FieldError(p.field, p.code, p.detail) for p in invalid.problems]
        raise DefinitionNotUsable(_("The definition can't be used as it is."), errors=errors) from invalid


def _check_may_edit(actor: User | None) -> None:
    if actor is not None and not actor.may(Capability.EDIT_DEFINITION):
        raise EditNotAllowed(_("Your role may not change the definition."))


def _lock() -> None:
    """Drawing up and signing happen one after the other."""
    locks.advisory(locks.Namespace.DEFINITION, 1)


def _fresh(definition: DefinitionVersion, expected: int | None) -> DefinitionVersion:
    _lock()
    locked = DefinitionVersion.objects.select_for_update().get(pk=definition.pk)
    if expected is not None and locked.version != expected:
        raise DefinitionChanged(_("Somebody has changed this version. Look at it and change that one."))
    return locked


def _save(version: DefinitionVersion, names: list[str], *, now: datetime) -> None:
    version.version, version.updated_at = version.version + 1, now
    version.save(update_fields=[*names, "version", "updated_at"])
