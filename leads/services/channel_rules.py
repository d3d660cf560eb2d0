"""Changing the rules of channels. Each change names the version it has read and makes the next one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads.domain.channel_rules import MAX_RULES, Rule, clean, faults
from leads.models import Channel, ChannelRuleSet
from leads.selectors.channel_rules import NoSuchRule
from leads.services.fields import EditedMeanwhile
from smarketing.core.changes import changed
from smarketing.core.errors import FieldError, Invalid
from smarketing.users.models import User


class BadRule(Invalid):
    """A rule can't be used; ``errors`` name the columns."""

    code = "bad_channel_rule"


@transaction.atomic
def add(
    *, rule: Rule, first: bool = False, expected: int, actor: User | None, now: datetime
) -> ChannelRuleSet:
    """Put a rule at the end, or before all others. Raises :class:`BadRule` or ``EditedMeanwhile``."""
    present = _read(expected)
    new = replace(rule, id=max((r.id for r in present), default=0) + 1)
    rules = [new, *present] if first else [*present, new]
    return _write(rules, "added", rule.channel, expected=expected, actor=actor, now=now)


@transaction.atomic
def change(*, rule: Rule, expected: int, actor: User | None, now: datetime) -> ChannelRuleSet:
    """Put this rule in the place of the one with its key.

    Raises :class:`BadRule`, ``NoSuchRule`` or ``EditedMeanwhile``.
    """
    present = _read(expected)
    _place(present, rule.id)
    rules = [rule if r.id == rule.id else r for r in present]
    return _write(rules, "changed", rule.channel, expected=expected, actor=actor, now=now)


@transaction.atomic
def move(*, key: int, to: int, expected: int, actor: User | None, now: datetime) -> ChannelRuleSet:
    """Bring a rule to place ``to``, counted from 0; beyond the ends is at the end.

    Raises ``NoSuchRule`` or ``EditedMeanwhile``.
    """
    rules = list(_read(expected))
    rule = rules.pop(_place(rules, key))
    rules.insert(max(0, min(to, len(rules))), rule)
    return _write(rules, "moved", rule.channel, expected=expected, actor=actor, now=now)


@transaction.atomic
def remove(*, key: int, expected: int, actor: User | None, now: datetime) -> ChannelRuleSet:
    """Take a rule out. Raises ``NoSuchRule`` or ``EditedMeanwhile``."""
    rules = list(_read(expected))
    rule = rules.pop(_place(rules, key))
    return _write(rules, "removed", rule.channel, expected=expected, actor=actor, now=now)


@transaction.atomic
def replace_all(*, rules: Sequence[Rule], expected: int, actor: User | None, now: datetime) -> ChannelRuleSet:
    """Put these rules in force, in this order, with keys by their place.

    Raises :class:`BadRule` or ``EditedMeanwhile``.
    """
    _read(expected)
    numbered = [replace(rule, id=place) for place, rule in enumerate(rules, start=1)]
    return _write(numbered, "replaced", "", expected=expected, actor=actor, now=now)


@transaction.atomic
def restore(*, number: int, expected: int, actor: User | None, now: datetime) -> ChannelRuleSet:
    """Put the rules of an earlier version in force again, as a new version.

    Raises ``NoSuchRule`` or ``EditedMeanwhile``.
    """
    _read(expected)
    earlier = ChannelRuleSet.objects.filter(number=number).first()
    if earlier is None:
        raise NoSuchRule(_("There is no such version of the rules."))
    rules = [Rule.from_json(row) for row in earlier.rules]
    return _write(rules, "restored", "", expected=expected, actor=actor, now=now)


def _read(expected: int) -> list[Rule]:
    latest = ChannelRuleSet.objects.order_by("-number").first()
    if latest is None or latest.number != expected:
        raise EditedMeanwhile(_("Somebody else changed the rules meanwhile. Look at them and try again."))
    return [Rule.from_json(row) for row in latest.rules]


def _place(rules: Sequence[Rule], key: int) -> int:
    for place, rule in enumerate(rules):
        if rule.id == key:
            return place
    raise NoSuchRule(_("There is no such rule."))


def _write(
    rules: Sequence[Rule], action: str, channel: str, *, expected: int, actor: User | None, now: datetime
) -> ChannelRuleSet:
    good = [clean(rule) for rule in rules]
    _check(good)
    before = ChannelRuleSet.objects.get(number=expected)
    new = ChannelRuleSet(
        number=expected + 1,
        rules=[rule.to_json() for rule in good],
        action=action,
        channel_code=channel,
        actor=actor,
        created_at=now,
    )
    try:
        # Of two who have read the same version, the key lets one through.
        with transaction.atomic():
            new.save(force_insert=True)
    except IntegrityError as error:
        raise EditedMeanwhile(_("Somebody else changed the rules meanwhile.")) from error
    changed(
        actor=actor,
        action=f"channel_rules_{action}",
        obj=new,
        now=now,
        before={"rules": before.rules},
        after={"rules": new.rules},
    )
    return new


_TEXTS = {
    "unknown_site": gettext_lazy("This is not a kind of site that we know."),
    "unknown_click_id": gettext_lazy("This is not a click id that we know."),
    "too_long": gettext_lazy("At most 100 patterns of 200 characters, with at most eight * each."),
    "asks_nothing": gettext_lazy("A rule must ask for something; without it every visit would end here."),
}


def _check(rules: Sequence[Rule]) -> None:
    known = set(Channel.objects.values_list("code", flat=True))
    wrong = [FieldError(name, code, str(_TEXTS[code])) for rule in rules for name, code in faults(rule)]
    wrong += [
        FieldError("channel", "unknown_channel", _("There is no such channel."))
        for rule in rules
        if rule.channel not in known
    ]
    if len(rules) > MAX_RULES:
        wrong.append(FieldError("rules", "too_many", _("There are at most 200 rules.")))
    if wrong:
        raise BadRule(_("Some of the rules can't be used."), errors=wrong)
