"""Keeping leads warm: whose they are, why, what brings them back, and when sales has taken over.

An episode follows its lead's stage: it begins when the lead enters nurture, pauses while sales has the
lead, and ends with the lap. Its row is locked after the lead's state, never before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from funnel.domain.nurture import due_at
from funnel.models import LeadScore, MoveCause, Nurture, NurtureCause, NurtureRule, NurtureState
from funnel.services import lifecycle
from leads.models import Lead
from smarketing.core.changes import changed
from smarketing.core.errors import Conflict, Denied, FieldError, Invalid, Stale
from smarketing.core.prepared import Statement
from smarketing.users.domain.roles import Capability, Role
from smarketing.users.models import User

STAGE = "nurture"
COLUMNS = ("owner", "reason", "gain_points", "returns_at")
RULE_COLUMNS = ("settle_days", "gain_points", "return_days")
MOST_POINTS, MOST_DAYS = 100_000, 3650
_CAUSES = {
    MoveCause.NURTURED: NurtureCause.LOW_INTEREST,
    MoveCause.RETURNED: NurtureCause.RETURNED,
    MoveCause.DELIVERED: NurtureCause.OVERFLOW,
    MoveCause.IMPORTED: NurtureCause.IMPORTED,
}
# An episode that has ended begins anew only when the lead enters nurture again.
_FOLLOW = Statement(
    "nurture_follow",
    """
UPDATE funnel_nurture n
   SET state = w.state, ended_at = CASE WHEN w.state = 'ended' THEN %(now)s::timestamptz END,
       updated_at = %(now)s, version = n.version + 1
  FROM (SELECT s.lead_id,
               CASE WHEN g.code = 'nurture' THEN 'active'
                    WHEN l.closed_at IS NULL AND g.code IN ('mql', 'sql', 'opportunity') THEN 'paused'
                    ELSE 'ended' END AS state
          FROM funnel_leadstate s
          JOIN leads_lead l ON l.id = s.lead_id
          JOIN funnel_stage g ON g.id = s.stage_id
         WHERE s.lead_id = ANY(%(leads)s::bigint[])) w
 WHERE n.lead_id = w.lead_id AND n.state <> w.state AND n.state <> 'ended'
""",
    by="leads",
)
# What an end of the lap ended goes on where that end is corrected.
_GO_ON = Statement(
    "nurture_go_on",
    """
UPDATE funnel_nurture n
   SET state = CASE WHEN g.code = 'nurture' AND s.owner_id IS NULL THEN 'active' ELSE 'paused' END,
       ended_at = NULL, updated_at = %(now)s::timestamptz, version = n.version + 1
  FROM funnel_leadstate s
  JOIN funnel_stage g ON g.id = s.stage_id AND g.code IN ('nurture', 'mql', 'sql', 'opportunity')
 WHERE n.lead_id = %(lead)s::bigint AND s.lead_id = n.lead_id AND n.state = 'ended'
   AND n.ended_at >= (SELECT max(t.recorded_at) FROM funnel_stagetransition t
                        JOIN funnel_stage e ON e.id = t.to_stage_id AND e.code = %(from_stage)s::text
                       WHERE t.lead_id = n.lead_id)
""",
)
_FOLLOW_OWNER = Statement(
    "nurture_follow_owner",
    """
UPDATE funnel_nurture n
   SET state = %(after)s::text, updated_at = %(now)s::timestamptz, version = n.version + 1
  FROM funnel_leadstate s JOIN funnel_stage g ON g.id = s.stage_id AND g.code = 'nurture'
 WHERE n.lead_id = %(lead)s::bigint AND s.lead_id = n.lead_id AND n.state = %(before)s::text
""",
)
# Marketers take turns with the leads of a file.
_IMPORTED = """
WITH marketers AS (
    SELECT id, row_number() OVER (ORDER BY id) - 1 AS number, count(*) OVER () AS many
      FROM users_user WHERE is_active AND role = ANY(%(roles)s::text[])
), fresh AS (
    SELECT s.lead_id, s.entered_at, row_number() OVER (ORDER BY s.lead_id) AS number
      FROM funnel_leadstate s
      JOIN funnel_stage g ON g.id = s.stage_id AND g.code = 'nurture'
     WHERE s.lead_id = ANY(%(leads)s::bigint[])
)
INSERT INTO funnel_nurture (lead_id, owner_id, state, cause, reason, began_at, created_at, updated_at,
                            version)
SELECT f.lead_id, m.id, 'active', 'imported', '', f.entered_at, %(now)s, %(now)s, 1
  FROM fresh f LEFT JOIN marketers m ON m.number = f.number %% m.many
 ORDER BY f.lead_id
ON CONFLICT (lead_id) DO NOTHING
"""
_MARKETING = (Role.MARKETER, Role.MARKETING_MANAGER)


class NurtureNotAllowed(Denied):
    """Who is kept warm, and until when, is marketing's."""

    code = "nurture_not_allowed"


class BadNurture(Invalid):
    """A value can't be used; ``errors`` names the fields."""

    code = "bad_nurture"


class NurtureChanged(Stale):
    """Somebody has changed it since it was read."""


class RuleChanged(Conflict):
    """Somebody has changed the organisation's rule since it was read."""

    code = "nurture_rule_changed"


class NotInNurture(Conflict):
    """The lead is not kept warm at present."""

    code = "not_in_nurture"


def rule() -> NurtureRule:
    """How the organisation keeps leads warm."""
    return NurtureRule.objects.get(pk=1)


@transaction.atomic(savepoint=False)
def begin(*, lead_id: int, cause: str, reason: str, at: datetime, now: datetime) -> Nurture:
    """The lead has entered nurture: an owner in marketing, the reason, and what brings it back.

    Whoever had qualified comes back by gain or day, as the organisation's rule says; the others by
    the definition. The owner is the campaign's where that is a marketer, else who has the fewest.
    """
    lead = Lead.objects.select_related("campaign__owner").get(pk=lead_id)
    known = _CAUSES.get(MoveCause(cause), NurtureCause.MANUAL)
    has_qualified = LeadScore.objects.filter(lead=lead_id, qualified_at__isnull=False).exists()
    ours = rule()
    returns_at = at + timedelta(days=ours.return_days) if has_qualified else None
    values: dict[str, Any] = {
        "owner": _owner(lead),
        "state": NurtureState.ACTIVE,
        "cause": known,
        "reason": reason[:500],
        "began_at": at,
        "gain_points": ours.gain_points if has_qualified else None,
        "returns_at": returns_at,
        "gained_at": None,
        "due_at": returns_at,
        "ended_at": None,
        "next_lead": None,
        "updated_at": now,
    }
    before = Nurture.objects.select_for_update().filter(pk=lead_id).first()
    if before is None:
        return Nurture.objects.create(lead=lead, created_at=now, **values)
    for name, value in values.items():
        setattr(before, name, value)
    before.version += 1
    before.save(update_fields=[*values, "version"])
    return before


@transaction.atomic(savepoint=False)
def begin_imported(*, lead_ids: Sequence[int], now: datetime) -> int:
    """Those of these fresh leads that their source says are in nurture; how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(_IMPORTED, {"leads": list(lead_ids), "roles": list(_MARKETING), "now": now})
        return int(cursor.rowcount)


@transaction.atomic(savepoint=False)
def follow(*, lead_ids: Sequence[int], now: datetime) -> int:
    """Bring episodes of these leads in line with their stages: paused with sales, ended with the lap."""
    return _FOLLOW.count(leads=sorted(lead_ids), now=now)


@transaction.atomic(savepoint=False)
def go_on(*, lead_id: int, from_stage: str, now: datetime) -> int:
    """The lead is back from an end that was corrected, as an undone merge: so is the episode it ended."""
    return _GO_ON.count(lead=lead_id, from_stage=from_stage, now=now)


@transaction.atomic(savepoint=False)
def follow_owner(*, lead_id: int, has_owner: bool, now: datetime) -> int:
    """A rep who is given a lead in nurture has taken it over; one who loses it gives it back."""
    before, after = NurtureState.ACTIVE, NurtureState.PAUSED
    if not has_owner:
        before, after = after, before
    return _FOLLOW_OWNER.count(lead=lead_id, before=str(before), after=str(after), now=now)


@transaction.atomic
def start(*, lead: Lead, actor: User, now: datetime, reason: str, **rules: Any) -> Nurture:
    """Move ``lead`` to nurture by hand; ``rules`` are an owner and what brings it back, where they differ.

    Raises :class:`NurtureNotAllowed`, :class:`BadNurture`, or what ``lifecycle.move`` raises.
    """
    _check_may(actor)
    good = _checked({"reason": reason, **rules}, now=now)
    lifecycle.move(
        lead=lead, to=STAGE, cause=MoveCause.MANUAL, reason=good["reason"], actor=actor, at=now, now=now
    )
    return _write(Nurture.objects.select_for_update().get(pk=lead.pk), good, now=now)


@transaction.atomic
def change(
    *,
    nurture: Nurture,
    changes: dict[str, Any],
    actor: User,
    now: datetime,
    expected_version: int | None = None,
) -> Nurture:
    """Change whose it is, why, and what brings the lead back.

    Raises :class:`NurtureNotAllowed`, :class:`NurtureChanged`, :class:`NotInNurture`, :class:`BadNurture`.
    """
    _check_may(actor)
    locked = Nurture.objects.select_for_update().get(pk=nurture.pk)
    if expected_version is not None and locked.version != expected_version:
        raise NurtureChanged(_("Somebody else changed this first. Look at it again."))
    if locked.state == NurtureState.ENDED:
        raise NotInNurture(_("This lead is no longer in nurture."))
    return _write(locked, _checked(changes, now=now), now=now)


@transaction.atomic
def set_rule(
    *, changes: dict[str, Any], actor: User, now: datetime, expected_version: int | None = None
) -> NurtureRule:
    """Change how the organisation keeps leads warm, for episodes that begin from now on.

    Kept in the audit trail. Raises :class:`NurtureNotAllowed`, :class:`RuleChanged`, :class:`BadNurture`.
    """
    if not actor.may(Capability.EDIT_DEFINITION):
        raise NurtureNotAllowed(_("Your role may not change how leads are kept warm."))
    locked = NurtureRule.objects.select_for_update().get(pk=1)
    if expected_version is not None and locked.version != expected_version:
        raise RuleChanged(_("Somebody else changed this first. Look at it again."))
    wrong = [name for name in changes if name not in RULE_COLUMNS or not _is_count(changes[name], name)]
    if wrong:
        detail = _("Give a whole number above zero.")
        raise BadNurture(detail, errors=[FieldError(name, BadNurture.code, detail) for name in sorted(wrong)])
    before = {name: getattr(locked, name) for name in changes}
    for name, value in changes.items():
        setattr(locked, name, value)
    locked.version, locked.updated_at = locked.version + 1, now
    locked.save(update_fields=[*changes, "version", "updated_at"])
    changed(actor=actor, action="nurture_rule_changed", obj=locked, before=before, after=changes, now=now)
    return locked


def marketers() -> list[User]:
    """Who can keep leads warm: active marketers and their managers, those with the fewest first."""
    people = User.objects.active().filter(role__in=_MARKETING)
    load = dict(
        Nurture.objects.active().filter(owner__isnull=False).values_list("owner").annotate(n=Count("pk"))
    )
    return sorted(people, key=lambda user: (load.get(user.pk, 0), user.pk))


def _owner(lead: Lead) -> User | None:
    campaigner = lead.campaign.owner if lead.campaign else None
    if campaigner is not None and campaigner.is_active and campaigner.role in _MARKETING:
        return campaigner
    return next(iter(marketers()), None)


def _check_may(actor: User) -> None:
    if not actor.may(Capability.DELIVER):
        raise NurtureNotAllowed(_("Your role may not decide who is kept warm."))


def _write(nurture: Nurture, good: dict[str, Any], *, now: datetime) -> Nurture:
    for name, value in good.items():
        setattr(nurture, name, value)
    if "gain_points" in good:
        nurture.gained_at = None
    nurture.due_at = due_at(returns_at=nurture.returns_at, gained_at=nurture.gained_at)
    nurture.version, nurture.updated_at = nurture.version + 1, now
    nurture.save(update_fields=[*good, "gained_at", "due_at", "version", "updated_at"])
    return nurture


def _checked(changes: dict[str, Any], *, now: datetime) -> dict[str, Any]:
    good: dict[str, Any] = {n: v.strip() if isinstance(v, str) else v for n, v in changes.items()}
    wrong = {name: _("There is no such field that can be changed.") for name in set(good) - set(COLUMNS)}
    reason = good.get("reason", "")
    if not isinstance(reason, str) or len(reason) > 500 or "\x00" in reason:
        wrong["reason"] = _("Give a text of at most %(most)s characters.") % {"most": 500}
    owner = good.get("owner")
    if owner is not None and not User.objects.active().filter(pk=owner.pk, role__in=_MARKETING).exists():
        wrong["owner"] = _("Choose an active marketer.")
    points = good.get("gain_points")
    if points is not None and not _is_count(points, "gain_points"):
        wrong["gain_points"] = _("Give a whole number above zero, or nothing.")
    day = good.get("returns_at")
    if day is not None and (day.tzinfo is None or not now < day <= now + timedelta(days=MOST_DAYS)):
        wrong["returns_at"] = _("Give a day to come, within ten years.")
    if wrong:
        errors = [FieldError(name, BadNurture.code, detail) for name, detail in sorted(wrong.items())]
        raise BadNurture(_("This can't be kept like this."), errors=errors)
    return good


def _is_count(value: object, name: str) -> bool:
    most = MOST_POINTS if name == "gain_points" else MOST_DAYS
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= most
