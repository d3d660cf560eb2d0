"""Removing data whose time is up, class by class, in portions; and saying beforehand how much it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils.translation import gettext as _

from leads.domain import retention as rules
from leads.domain.retention import DataClass
from leads.models import RetentionRule
from leads.services import fields
from smarketing.core import locks, triggers
from smarketing.core.changes import changed
from smarketing.core.errors import Denied, FieldError, Invalid
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

LOOP = "retention"
# One pass of the loop a day; what is left then goes with the next.
EVERY = timedelta(hours=20)


class BadRetention(Invalid):
    """Data can't be kept for so long, or so briefly."""

    code = "bad_retention"


class RetentionNotAllowed(Denied):
    """The actor's role may not set how long data is kept."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One class: for how many days it is kept (``None``: for ever), and how many rows are due now."""

    data_class: DataClass
    rule: RetentionRule
    due: int


def standing(*, now: datetime) -> list[Standing]:
    """Every class with its rule and what a run would remove at this moment; removes nothing."""
    known = _rules(now, keep=False)
    return [
        Standing(each, known[each.code], _due(each, known[each.code].days, now)) for each in rules.CLASSES
    ]


@transaction.atomic
def keep(*, data_class: str, days: int | None, actor: User | None, now: datetime) -> RetentionRule:
    """Set for how many days a class is kept; ``None``: for ever. Audited.

    Raises :class:`RetentionNotAllowed` or :class:`BadRetention`.
    """
    if actor is not None and not actor.may(Capability.MANAGE_PRIVACY):
        raise RetentionNotAllowed(_("Your role may not set how long data is kept."))
    if data_class not in rules.BY_CODE:
        raise BadRetention(_("There is no such class of data."))
    if days is not None and not rules.LEAST_DAYS <= days <= rules.MOST_DAYS:
        detail = _("Give %(least)d to %(most)d days, or nothing to keep it for ever.")
        text = detail % {"least": rules.LEAST_DAYS, "most": rules.MOST_DAYS}
        raise BadRetention(text, errors=[FieldError("days", BadRetention.code, text)])
    (rule,) = locks.rows(RetentionRule.objects.all(), [_rules(now)[data_class].pk])
    before = rule.days
    if before == days:
        return rule
    rule.days, rule.version, rule.updated_at = days, rule.version + 1, now
    rule.save(update_fields=["days", "version", "updated_at"])
    changed(
        actor=actor, action="retention_set", obj=rule, now=now, before={"days": before}, after={"days": days}
    )
    return rule


def run_once(*, now: datetime, limit: int) -> int:
    """Remove at most ``limit`` rows of each class whose time is up; the loop ``retention``."""
    removed = 0
    for code, rule in _rules(now).items():
        each = rules.BY_CODE.get(code)
        if each is None or rule.days is None or not _is_time(rule, now):
            continue
        count = _remove(each, rule, limit, now)
        removed += count
    return removed


def run_all(*, now: datetime, portion: int = 5000) -> dict[str, int]:
    """Remove everything whose time is up, in portions; how many rows of each class."""
    found: dict[str, int] = {}
    for code, rule in _rules(now).items():
        each = rules.BY_CODE.get(code)
        while each is not None and rule.days is not None and (count := _remove(each, rule, portion, now)):
            found[code] = found.get(code, 0) + count
    return found


@transaction.atomic
def _remove(each: DataClass, rule: RetentionRule, limit: int, now: datetime) -> int:
    locks.rows(RetentionRule.objects.all(), [rule.pk])
    before = now - timedelta(days=rule.days or rules.MOST_DAYS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id::text FROM {each.table} WHERE {each.column} < %s AND ({each.where})"  # noqa: S608
            " ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED",
            [before, limit],
        )
        ids = [row[0] for row in cursor.fetchall()]
        for statement in _statements(each):
            if each.is_ledger:
                with triggers.opened():
                    cursor.execute(statement, [ids])
            else:
                cursor.execute(statement, [ids])
    # A pass that found less than it may take is done for today.
    rule.last_run_at = now if len(ids) < limit else rule.last_run_at
    rule.last_removed = len(ids) or rule.last_removed
    rule.save(update_fields=["last_run_at", "last_removed"])
    return len(ids)


def _statements(each: DataClass) -> list[str]:
    """What removes the rows of some ids. Deliveries go with their outbox row, notices let go of it."""
    kind = "uuid" if each.table == "leads_event" else "bigint"
    first: list[str] = []
    if each.table == "notifications_outbox":
        first = [
            "DELETE FROM notifications_delivery WHERE outbox_id = ANY(%s::bigint[])",
            "UPDATE notifications_notification SET outbox_id = NULL WHERE outbox_id = ANY(%s::bigint[])",
        ]
    return [*first, f"DELETE FROM {each.table} WHERE id = ANY(%s::{kind}[])"]  # noqa: S608


def _due(each: DataClass, days: int | None, now: datetime) -> int:
    if days is None:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM {each.table} WHERE {each.column} < %s AND ({each.where})",  # noqa: S608
            [now - timedelta(days=days)],
        )
        return int(cursor.fetchone()[0])


def _is_time(rule: RetentionRule, now: datetime) -> bool:
    return rule.last_run_at is None or rule.last_run_at <= now - EVERY


def _rules(now: datetime, *, keep: bool = True) -> dict[str, RetentionRule]:
    """The rules by class; missing ones have the proposed days, and are stored unless somebody only looks."""
    known = {rule.data_class: rule for rule in RetentionRule.objects.all()}
    missing = [
        RetentionRule(data_class=each.code, days=each.days, **fields.stamps(now=now))
        for each in rules.CLASSES
        if each.code not in known
    ]
    if not keep:
        known |= {rule.data_class: rule for rule in missing}
    elif missing:
        RetentionRule.objects.bulk_create(missing, ignore_conflicts=True)
        known = {rule.data_class: rule for rule in RetentionRule.objects.all()}
    return {each.code: known[each.code] for each in rules.CLASSES}
