"""Browser input of the blind questionnaire."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from funnel.domain.questionnaires import QUESTIONS
from funnel.models import Questionnaire, QuestionnaireAnswer

ASKED = {
    "definition": _("How does your team define a qualified lead?"),
    "discard": _("By what rules do you discard or disqualify leads?"),
    "traits": _("Which traits, of who they are or what they do, do you associate with qualified leads?"),
    "stages": _("How do you define the stages of a lead?"),
}
RATINGS = (("1", _("qualifies")), ("0", _("neutral")), ("-1", _("disqualifies")))
LABELS = (("yes", _("qualified")), ("no", _("not qualified")))


class StartForm(forms.Form):
    """How many people of each side have to answer."""

    quorum = forms.IntegerField(
        label=_("People of each team who have to answer"), min_value=1, max_value=100, initial=3
    )
    closes_on = forms.DateField(
        label=_("Answers until the end of"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Then the round ends with whoever has answered. Empty: it waits for all."),
    )
    statements = forms.CharField(
        label=_("Statements to rate besides the rules"),
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One a line, such as “asked for a demo twice”."),
    )

    def given(self) -> dict[str, Any]:
        """What the service takes, from a valid form."""
        data = self.cleaned_data
        day = data["closes_on"]
        end = timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min)) if day else None
        return {
            "quorum": data["quorum"],
            "closes_at": end,
            "statements": data["statements"].splitlines(),
        }


@dataclass(slots=True)
class Sheet:
    """The answers of one person as text, by what they answer; errors likewise."""

    words: list[tuple[str, Any, str]]
    items: list[tuple[str, str, str, bool]]
    cases: list[tuple[str, list[list[str]], str, bool]]


def read(data: QueryDict, asked: Questionnaire) -> dict[str, dict[str, Any]]:
    """What was sent, as the service takes it; what was left out is missing in it."""
    ratings = {item["key"]: data.get(f"rating-{item['key']}", "") for item in asked.items}
    labels = {case["key"]: data.get(f"label-{case['key']}", "") for case in asked.cases}
    known = {value for value, _label in RATINGS}
    return {
        "words": {key: data.get(f"words-{key}", "") for key in QUESTIONS},
        "ratings": {key: int(value) for key, value in ratings.items() if value in known},
        "labels": {key: value == "yes" for key, value in labels.items() if value in ("yes", "no")},
    }


def sheet(
    asked: Questionnaire, given: dict[str, dict[str, Any]], *, wrong: frozenset[str] = frozenset()
) -> Sheet:
    """The sheet with what was given so far; ``wrong`` are the fields that the service refused."""
    words, ratings, labels = given["words"], given["ratings"], given["labels"]
    said = {key: "yes" if value else "no" for key, value in labels.items()}
    return Sheet(
        words=[(key, label, words.get(key, "")) for key, label in ASKED.items()],
        items=[
            (i["key"], i["text"], str(ratings.get(i["key"], "")), f"ratings.{i['key']}" in wrong)
            for i in asked.items
        ],
        cases=[
            (c["key"], c["known"], said.get(c["key"], ""), f"labels.{c['key']}" in wrong) for c in asked.cases
        ],
    )


def given_by(answer: QuestionnaireAnswer | None) -> dict[str, dict[str, Any]]:
    """What somebody has answered before."""
    if answer is None:
        return {"words": {}, "ratings": {}, "labels": {}}
    return {"words": answer.words, "ratings": answer.ratings, "labels": answer.labels}
