"""Questionnaires as their pages show them: hidden until both sides answered, then the map and the labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from funnel.domain import fit, questionnaires
from funnel.domain.definitions import Definition
from funnel.domain.questionnaires import Agreement, Gap
from funnel.models import Questionnaire, QuestionnaireAnswer
from funnel.selectors import definition_texts, facts
from leads.models import Event, EventKind, Lead
from smarketing.core.keysets import among
from smarketing.users.domain.roles import Capability, Side
from smarketing.users.models import User

FEWEST, MOST = 30, 50
RECENT = 2000
QUARTER = timedelta(days=90)
_MAIL = {True: gettext_lazy("of a company"), False: gettext_lazy("private")}


@dataclass(frozen=True, slots=True)
class Case:
    """One lead without its name: what is known, and what most of each side said of it."""

    key: str
    known: list[tuple[str, str]]
    marketing: bool | None = None
    sales: bool | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What both sides said: the map by gap, agreement on leads, leads they differ on, words."""

    gaps: list[tuple[str, Gap]]
    agreement: Agreement
    differing: list[Case]
    words: dict[str, dict[str, list[str]]]


def visible_to(user: User) -> QuerySet[Questionnaire]:
    """All rounds, newest first, with how many of each side have answered."""
    if not user.may(Capability.VIEW):
        return Questionnaire.objects.none()
    counts = {side.value: Count("answers", filter=Q(answers__side=side.value)) for side in Side}
    return Questionnaire.objects.annotate(**counts).order_by("-pk")


def trend() -> list[Questionnaire]:
    """The rounds that were revealed, oldest first."""
    return list(Questionnaire.objects.filter(revealed_at__isnull=False, cancelled_at=None).order_by("pk"))


def is_due(*, now: datetime) -> bool:
    """Whether no round is open and the last began a quarter ago, or none ever did."""
    last = Questionnaire.objects.order_by("-pk").first()
    return last is None or (last.revealed_at is not None and last.started_at <= now - QUARTER)


def is_shown(questionnaire: Questionnaire) -> bool:
    """Whether the answers may be read: both sides have given theirs."""
    return questionnaire.revealed_at is not None and questionnaire.cancelled_at is None


def own_answer(questionnaire: Questionnaire, user: User) -> QuestionnaireAnswer | None:
    """What the user has answered; nobody reads another's before the round is revealed."""
    return questionnaire.answers.filter(user=user).first()


def items_of(rules: Definition) -> list[dict[str, str]]:
    """The rules of a definition as items to rate."""
    told = [(f"fit.{c.key}", fit.describe(c.condition)) for c in rules.criteria]
    told += [(f"signals.{s.key}", definition_texts.signal_words(s)) for s in rules.signals]
    return [{"key": key, "text": text} for key, text in told]


def cases_of(*, now: datetime) -> list[dict[str, Any]]:
    """Up to :data:`MOST` leads spread over the latest, frozen without name, address or free text.

    Fewer than :data:`FEWEST` leads make none: so few can't tell agreement from chance.
    """
    latest = list(
        Lead.objects.filter(captured_at__lte=now).order_by("-pk").values_list("pk", "person_id")[:RECENT]
    )
    if len(latest) < FEWEST:
        return []
    wanted = min(MOST, len(latest))
    chosen = [latest[i * len(latest) // wanted] for i in range(wanted)]
    known = facts.of_leads([lead for lead, _person in chosen])
    behaviour = _behaviour([person for _lead, person in chosen], until=now)
    return [
        {"key": str(number), "known": _snapshot(known[lead], behaviour.get(person, {}))}
        for number, (lead, person) in enumerate(chosen, start=1)
    ]


def result(questionnaire: Questionnaire) -> Result:
    """What both sides said. Only for a revealed round, or the one that is being revealed."""
    answers = list(questionnaire.answers.order_by("pk"))
    by_side = {side: [a for a in answers if a.side == side.value] for side in Side}
    ours, theirs = by_side[Side.MARKETING], by_side[Side.SALES]
    texts = {item["key"]: item["text"] for item in questionnaire.items}
    gaps = questionnaires.divergence([a.ratings for a in ours], [a.ratings for a in theirs], list(texts))
    cases = [
        Case(
            case["key"],
            [(key, value) for key, value in case["known"]],
            _side_says(ours, case["key"]),
            _side_says(theirs, case["key"]),
        )
        for case in questionnaire.cases
    ]
    pairs = [(c.marketing, c.sales) for c in cases if c.marketing is not None and c.sales is not None]
    return Result(
        gaps=[(texts[gap.key], gap) for gap in gaps],
        agreement=questionnaires.kappa(pairs),
        differing=[c for c in cases if {c.marketing, c.sales} == {True, False}],
        words={
            question: {
                side.value: [w for a in by_side[side] if (w := a.words.get(question))] for side in Side
            }
            for question in questionnaires.QUESTIONS
        },
    )


def _side_says(answers: Sequence[QuestionnaireAnswer], case: str) -> bool | None:
    return questionnaires.majority([a.labels[case] for a in answers if case in a.labels])


def _behaviour(people: Sequence[int], *, until: datetime) -> dict[int, Counter[str]]:
    rows = Event.objects.counting().filter(person_id__in=among(people), occurred_at__lte=until)
    found: dict[int, Counter[str]] = {}
    for person, kind, n in rows.values_list("person_id", "kind").annotate(n=Count("pk")).order_by():
        found.setdefault(person, Counter())[kind] = n
    return found


def _snapshot(known: Mapping[str, Any], behaviour: Mapping[str, int]) -> list[list[str]]:
    person, company, lead = known["person"], known["company"], known["lead"]
    rows: list[tuple[str, Any]] = [
        (_("Job title"), person.get("title")),
        (_("Country"), person.get("country") or company.get("country")),
        (_("Industry"), company.get("industry")),
        (_("Employees"), company.get("employees")),
        (_("E-mail"), _MAIL.get(person.get("has_work_email"))),
        (_("Channel"), lead.get("channel")),
        (_("Origin"), lead.get("origin")),
    ]
    labels = dict(EventKind.choices)
    rows += [(str(labels.get(kind, kind)), n) for kind, n in sorted(behaviour.items())]
    return [[label, str(value)] for label, value in rows if value not in (None, "")]
