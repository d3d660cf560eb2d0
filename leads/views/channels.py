"""The rules of channels: their order, their history, and a bench to try them on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads.domain.channel_rules import Rule
from leads.forms.channels import (
    COLUMN_LABELS,
    SITE_LABELS,
    ChannelRuleForm,
    MoveForm,
    NewChannelRuleForm,
    RemoveForm,
    TrialForm,
)
from leads.selectors import channel_rules as reads
from leads.services import channel_reviews, channel_rules
from smarketing.users.domain.roles import Capability
from smarketing.web import asks, rendering
from smarketing.web.asks import Ask
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast

LIST = "leads:channels"
MAY_EDIT = Capability.EDIT_CAMPAIGNS
_ACTIONS = {
    "seeded": gettext_lazy("Rules of a new installation"),
    "added": gettext_lazy("Rule added"),
    "changed": gettext_lazy("Rule changed"),
    "moved": gettext_lazy("Rule moved"),
    "removed": gettext_lazy("Rule removed"),
    "replaced": gettext_lazy("All rules replaced"),
    "restored": gettext_lazy("Earlier rules restored"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A rule as the page tells it. ``failed`` is the column for which a trial passed it over."""

    place: int
    rule: Rule
    channel: str
    asks: list[tuple[str, str]]
    failed: str = ""


@page(capability=Capability.VIEW)
def channel_page(request: Request) -> HttpResponse:
    """The rules in force, in their order."""
    rules, names = reads.in_force(), reads.channel_names()
    context = {
        "lines": [_line(place, rule, names) for place, rule in enumerate(rules.rules, start=1)],
        "version": rules.number,
        "last": len(rules.rules),
        "may_edit": request.user.may(MAY_EDIT),
        "review": reads.last_review(),
        "history": [
            {
                "row": row,
                "text": _ACTIONS.get(row.action, row.action),
                "channel": names.get(row.channel_code, ""),
            }
            for row in reads.history()
        ],
        **_tried(request, names),
    }
    return rendering.page(
        request,
        "leads/channels.html",
        context,
        fragments={"trial": "leads/_channel_trial.html", "channel-review": "leads/_channel_review.html"},
    )


@page(capability=MAY_EDIT, methods=["GET", "POST"])
def rule_new(request: Request) -> HttpResponse:
    """Add a rule."""
    form = NewChannelRuleForm(asks.given(request), initial={"version": reads.in_force().number})
    ask = Ask(_("New rule"), reverse("leads:channel_rule_new"), reverse(LIST), form, _("Add the rule"))

    def save(given: dict[str, Any]) -> HttpResponse:
        made = channel_rules.add(
            rule=form.rule(),
            first=given["first"],
            expected=given["version"],
            actor=request.user,
            now=request.now,
        )
        return _done(request, _("Rule added."), made.number)

    return asks.answer(request, ask, save)


@page(capability=MAY_EDIT, methods=["GET", "POST"])
def rule_edit(request: Request, key: int) -> HttpResponse:
    """Change a rule."""
    rules = reads.in_force()
    rule = rules.rule(key)
    form = ChannelRuleForm(asks.given(request), initial=ChannelRuleForm.initial_of(rule, rules.number))
    address = reverse("leads:channel_rule_edit", args=[key])
    ask = Ask(_("Edit the rule"), address, reverse(LIST), form, _("Save"))

    def save(given: dict[str, Any]) -> HttpResponse:
        made = channel_rules.change(
            rule=form.rule(key), expected=given["version"], actor=request.user, now=request.now
        )
        return _done(request, _("Saved."), made.number)

    return asks.answer(request, ask, save)


@page(capability=MAY_EDIT, methods=["POST"])
def rule_move(request: Request, key: int) -> HttpResponse:
    """Bring a rule to another place."""
    given = MoveForm(request.POST).given()
    made = channel_rules.move(
        key=key, to=given["to"], expected=given["version"], actor=request.user, now=request.now
    )
    return _done(request, _("Rule moved."), made.number)


@page(capability=MAY_EDIT, methods=["POST"])
def rule_remove(request: Request, key: int) -> HttpResponse:
    """Take a rule out."""
    given = RemoveForm(request.POST).given()
    made = channel_rules.remove(key=key, expected=given["version"], actor=request.user, now=request.now)
    return _done(request, _("Rule removed."), made.number)


@page(capability=MAY_EDIT, methods=["POST"])
def rules_restore(request: Request, number: int, over: int) -> HttpResponse:
    """Put version ``number`` in force again, over version ``over``."""
    made = channel_rules.restore(number=number, expected=over, actor=request.user, now=request.now)
    return _done(request, _("Earlier rules are in force again."), made.number)


@page(capability=MAY_EDIT, methods=["POST"])
def review(request: Request, number: int) -> HttpResponse:
    """Have past visits judged by version ``number``, which is in force."""
    channel_reviews.ask(expected=number, actor=request.user, now=request.now)
    return rendering.redirect(request, LIST, toast=Toast(_("Past visits are being judged anew."), "ok"))


def _done(request: Request, text: str, number: int) -> HttpResponse:
    undo = reverse("leads:channel_rules_restore", args=[number - 1, number])
    return rendering.redirect(request, LIST, toast=Toast(text, "ok", undo))


def _line(place: int, rule: Rule, names: dict[str, str], failed: str = "") -> Line:
    asked = [(str(COLUMN_LABELS[name]), _or(name, values)) for name, values in rule.asks.items()]
    column = str(COLUMN_LABELS[failed]) if failed else ""
    return Line(place, rule, names.get(rule.channel, rule.channel), asked, column)


def _or(name: str, values: tuple[str, ...]) -> str:
    words = [str(SITE_LABELS.get(value, value)) if name == "site" else value for value in values]
    return _(" or ").join(words)


def _tried(request: Request, names: dict[str, str]) -> dict[str, Any]:
    """The bench: its form, and what the rules say when something was given."""
    form = TrialForm(request.GET or None)
    if not form.is_bound or not form.is_valid():
        return {"trial_form": form if form.is_bound else TrialForm()}
    trial = reads.try_out(**form.cleaned_data)
    rule = trial.verdict.rule
    passed = [
        _line(place, found, names, failed)
        for place, (found, failed) in enumerate(trial.verdict.passed_over, start=1)
    ]
    return {
        "trial_form": form,
        "trial": trial,
        "site": SITE_LABELS.get(trial.traffic.site, ""),
        "decided": _line(len(passed) + 1, rule, names) if rule else None,
        "passed": passed,
    }
