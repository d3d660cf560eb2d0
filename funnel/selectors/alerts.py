"""Reads of a user's alerts: each in one sentence, how often it was told, how soon somebody reacted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from funnel.domain.alerts import Trigger
from funnel.models import Alert, AlertHit, AlertHours, Stage
from leads.models import Person
from smarketing.users.models import User
from smarketing.web.models import SavedView

_REACTIONS = """
SELECT h.alert_id, count(*), count(h.contacted_at),
       percentile_cont(0.5) WITHIN GROUP (
         ORDER BY extract(epoch FROM h.contacted_at - h.raised_at)::float8)
         FILTER (WHERE h.contacted_at IS NOT NULL),
       max(h.raised_at)
FROM funnel_alerthit h
WHERE h.user_id = %s AND (%s::bigint[] IS NULL OR h.alert_id = ANY(%s::bigint[]))
GROUP BY GROUPING SETS ((h.alert_id), ())
"""


@dataclass(frozen=True, slots=True)
class Reaction:
    """``told`` hits; ``contacted`` of them were followed by a human attempt, after ``median``."""

    told: int = 0
    contacted: int = 0
    median: timedelta | None = None
    last_at: datetime | None = None

    @property
    def median_seconds(self) -> int | None:
        """The median in seconds, as the REST interface tells it."""
        return None if self.median is None else round(self.median.total_seconds())


@dataclass(frozen=True, slots=True)
class Line:
    """An alert as its page shows it."""

    alert: Alert
    sentence: str
    reaction: Reaction
    is_asleep: bool


def visible_to(user: User) -> QuerySet[Alert]:
    """The user's own, with whom they are about."""
    shown = Alert.objects.filter(user=user)
    return shown.select_related("person__company", "company", "stage", "segment")


def hits_of(user: User) -> QuerySet[AlertHit]:
    """What the user was or will be told, of all their alerts."""
    hits = AlertHit.objects.filter(user=user, person__merged_into=None)
    return hits.select_related("person__company", "alert")


def lines(user: User, alerts: Sequence[Alert], *, now: datetime) -> tuple[list[Line], Reaction]:
    """These alerts in words, and what came of all of the user's; one query."""
    known = reactions(user)
    found = [
        Line(a, sentence(a), known.get(a.pk, Reaction()), bool(a.snoozed_until and a.snoozed_until > now))
        for a in alerts
    ]
    return found, known.get(None, Reaction())


def reactions(user: User, alert_ids: Sequence[int] | None = None) -> dict[int | None, Reaction]:
    """What came of each alert, and under ``None`` of all together; one query."""
    wanted = None if alert_ids is None else list(alert_ids)
    with connection.cursor() as cursor:
        cursor.execute(_REACTIONS, [user.pk, wanted, wanted])
        rows = cursor.fetchall()
    return {
        pk: Reaction(told, contacted, None if half is None else timedelta(seconds=half), last)
        for pk, told, contacted, half, last in rows
    }


def about_person(user: User, person: Person) -> list[Alert]:
    """The user's running alerts that name this person or their company."""
    mine = visible_to(user).filter(stopped_at=None)
    keys = [f"person:{person.pk}", *([f"company:{person.company_id}"] if person.company_id else [])]
    return list(mine.filter(subject_key__in=keys).order_by("pk"))


def segments_of(user: User) -> QuerySet[SavedView]:
    """The saved views of the leads list that an alert can be about."""
    return SavedView.objects.filter(page="funnel:leads").visible_to(user)


def stages() -> QuerySet[Stage]:
    """The stages that an alert can be about."""
    return Stage.objects.filter(is_active=True).order_by("position", "code")


def hours_of(user: User) -> AlertHours:
    """The user's quiet hours; the defaults where none are kept."""
    return AlertHours.objects.filter(user=user).first() or AlertHours(user=user)


def sentence(alert: Alert) -> str:
    """What the alert waits for, in one sentence without a full stop."""
    return f"{who(alert)} {deed(alert)}"


def who(alert: Alert) -> str:
    """Whom it is about."""
    names: dict[str, Any] = {
        "person": lambda: (alert.person.name if alert.person else "") or _("This person"),
        "company": lambda: _("Anybody of %(company)s") % {"company": alert.company},
        "stage": lambda: _("Anybody in stage %(stage)s") % {"stage": alert.stage},
        "segment": lambda: _("Anybody in “%(view)s”") % {"view": alert.segment},
        "mine": lambda: _("Anybody whose lead I own"),
    }
    return str(names[alert.subject]())


def deed(alert: Alert) -> str:
    """What they have to do."""
    texts = {
        Trigger.PAGE: _("visits %(pattern)s") % {"pattern": alert.pattern},
        Trigger.ACTION: _("does “%(name)s”") % {"name": alert.name},
        Trigger.FORM: _("submits the form “%(name)s”") % {"name": alert.name}
        if alert.name
        else _("submits any form"),
        Trigger.EMAIL_CLICK: _("clicks a link in an e-mail"),
        Trigger.RETURN: _("comes back after %(days)s days or more") % {"days": alert.after_days},
    }
    parts = [_condition(c) for c in alert.conditions]
    told = str(texts[Trigger(alert.trigger)])
    return f"{told} ({', '.join(parts)})" if parts else told


def _condition(condition: dict[str, Any]) -> str:
    words = {
        "equals": _("%(property)s is %(value)s"),
        "not_equals": _("%(property)s is not %(value)s"),
        "contains": _("%(property)s contains %(value)s"),
        "at_least": _("%(property)s is at least %(value)s"),
        "at_most": _("%(property)s is at most %(value)s"),
        "known": _("%(property)s is given"),
        "unknown": _("%(property)s is not given"),
    }
    value = condition.get("value")
    plain = int(value) if isinstance(value, float) and value.is_integer() else value
    return words[condition["operator"]] % {"property": condition["property"], "value": plain}
