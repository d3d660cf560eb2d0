"""The cards of a rep's queue: who, why it qualified, what the person did, what can be done now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext as _

from funnel.models import Handoff, HandoffState, ModelState
from funnel.selectors import expected_value
from funnel.selectors.expected_value import Expected, Worth
from leads.models import Person, PersonEmail, PersonPhone
from sla.models import Snooze
from sla.selectors import clocks
from sla.selectors.clocks import ClockView
from sla.selectors.links import lead_path
from smarketing.web import formats

REASONS = 4


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that made the lead qualify, with its points."""

    label: str
    points: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """One waiting lead: who, why it qualified, what the person did, and what can be done now."""

    handoff: Handoff
    url: str
    name: str
    title: str
    company: str
    cell: str
    reasons: list[Reason]
    story: str
    last_action: tuple[str, datetime] | None
    said: str
    missing: list[str]
    clock: ClockView | None
    phone: str
    phone_href: str
    email: str
    is_accepted: bool
    likelihood: float | None
    expected: Expected | None
    snooze: Snooze | None

    @property
    def expected_amount(self) -> str:
        """What the lead may bring, in whole units of our currency."""
        found = self.expected
        return formats.money(round(found.value), found.currency) if found else ""

    @property
    def expected_reason(self) -> str:
        """Why it may bring that: the likelihood times the average deal of leads like it."""
        found = self.expected
        if found is None:
            return ""
        words = {
            "share": formats.percent(found.likelihood),
            "worth": formats.money(round(found.worth), found.currency),
            "band": found.fit_band,
        }
        if found.fit_band:
            told = _("%(share)s likely × %(worth)s, the average deal won by leads of fit %(band)s in a year.")
        else:
            told = _("%(share)s likely × %(worth)s, the average deal won in the year before.")
        return told % words

    @property
    def is_attempted(self) -> bool:
        """Whether the promise of a first attempt is settled, so that only the answer is missing."""
        return self.clock is None or self.clock.clock.ended_at is not None


def cards(
    handoff_ids: Sequence[int],
    *,
    snoozes: Mapping[int, Snooze],
    now: datetime,
    worth: Worth | None = None,
) -> list[Card]:
    """The cards of these handoffs, in their order; the same few queries however many there are.

    With ``worth`` each says what its lead may bring and why.
    """
    handoffs = _rows(handoff_ids)
    found = clocks.for_handoffs(list(handoff_ids))
    views = clocks.views(found.values(), now=now)
    return [
        _card(handoffs[pk], views.get(found[pk].pk) if pk in found else None, snoozes.get(pk), worth)
        for pk in handoff_ids
        if pk in handoffs
    ]


def _rows(ids: Sequence[int]) -> dict[int, Handoff]:
    found = Handoff.objects.filter(pk__in=ids).select_related(
        "lead__person__company",
        "lead__company",
        "lead__campaign",
        "lead__channel",
        "lead__source",
        "lead__likelihood__model",
        "owner",
    )
    return {
        handoff.pk: handoff
        for handoff in found.prefetch_related(
            Prefetch("lead__person__emails", PersonEmail.objects.order_by("-is_primary", "pk")),
            Prefetch("lead__person__phones", PersonPhone.objects.order_by("-is_mobile", "pk")),
        )
    }


def _card(handoff: Handoff, view: ClockView | None, snooze: Snooze | None, worth: Worth | None) -> Card:
    lead, person, packet = handoff.lead, handoff.lead.person, handoff.packet
    company = lead.company or person.company
    phone = next(iter(person.phones.all()), None)
    scores = packet.get("scores", {})
    likelihood = _likelihood(handoff)
    return Card(
        handoff=handoff,
        url=lead_path(lead.pk),
        name=_name(person),
        title=person.title,
        company=company.name if company else "",
        cell=scores.get("cell", ""),
        reasons=reasons(scores),
        story=_story(handoff, packet.get("origin", {})),
        last_action=_last_action(packet),
        said=lead.description,
        missing=[_humane(str(item).rpartition(".")[2]) for item in handoff.missing],
        clock=view,
        phone=str(phone) if phone else "",
        phone_href=f"tel:{phone.e164 or phone.written}" if phone else "",
        email=next((e.email for e in person.emails.all()), ""),
        is_accepted=handoff.state == HandoffState.ACCEPTED,
        likelihood=likelihood,
        expected=expected_value.expected(likelihood, scores.get("fit", {}).get("band", ""), worth),
        snooze=snooze,
    )


def _likelihood(handoff: Handoff) -> float | None:
    """The answer of the model in use, if it has one for the lead."""
    found = getattr(handoff.lead, "likelihood", None)
    return found.value if found is not None and found.model.state == ModelState.CHAMPION else None


def reasons(scores: Mapping[str, Any]) -> list[Reason]:
    """The weightiest reasons in a packet's scores, behaviour and fit together."""
    found = [
        Reason(_humane(line["key"]), line["points"], line.get("sentence", ""))
        for line in scores.get("fit", {}).get("lines", [])
        if line["points"] > 0
    ]
    found += [
        Reason(_humane(share["key"]), share["shown"])
        for share in scores.get("interest", {}).get("signals", [])
        if share["shown"] > 0
    ]
    return sorted(found, key=lambda reason: -reason.points)[:REASONS]


def _name(person: Person) -> str:
    emails = list(person.emails.all())
    return person.name or (emails[0].email if emails else _("Person without a name"))


def _story(handoff: Handoff, origin: Mapping[str, Any]) -> str:
    """How the person came, in a line: channel or source, campaign, the touch that converted."""
    touch = origin.get("converting_touch") or {}
    parts = [
        origin.get("channel") or origin.get("origin") or origin.get("source") or "",
        origin.get("campaign") or touch.get("campaign") or "",
        touch.get("title") or "",
    ]
    return " · ".join(dict.fromkeys(part for part in parts if part))


def _last_action(packet: Mapping[str, Any]) -> tuple[str, datetime] | None:
    actions = packet.get("actions") or []
    if actions:
        name = actions[0].get("name") or _humane(actions[0].get("kind", ""))
        return name, datetime.fromisoformat(actions[0]["at"])
    pages = packet.get("pages") or []
    if pages:
        title = pages[0].get("title") or pages[0].get("url", "")
        return title, datetime.fromisoformat(pages[0]["last_at"])
    return None


def _humane(key: str) -> str:
    """ "demo_requested" as people write it."""
    return key.replace("_", " ").strip().capitalize()
