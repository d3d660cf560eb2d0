"""What the two teams do beside the leads: they meet, ask each other, go on holiday, write alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from funnel.domain.questionnaires import QUESTIONS
from funnel.models import Questionnaire
from funnel.services import absences, questionnaires
from leads.models import AttributeSubject, AttributeType
from leads.services import attributes, mail_templates
from sla.services import meetings
from smarketing.demo import story
from smarketing.demo.timeline import Step, Timeline
from smarketing.users.domain.roles import Side
from smarketing.users.models import User

# One Monday in nine they do not find the time.
MISSED = 1 / 9
# When in the year the teams ask each other what a qualified lead is: there are leads to label by then.
ASKED_AT = 0.72
# Who answers, of each side.
ANSWERING = ("marketer", "jana", "marketing-manager", "rep", "chloe", "sales-manager")


class Rituals:
    """A meeting on Mondays, one round of the questionnaire, a holiday that is over and one that comes."""

    def __init__(self, users: dict[str, User], timeline: Timeline, zone: ZoneInfo, *, seed: int) -> None:
        self.users, self.timeline, self.zone = users, timeline, zone
        self.random = Random(seed)  # noqa: S311 - a story, not a secret

    def plan(self, *, start: datetime, end: datetime) -> None:
        """Put them into the calendar of the year."""
        day = start.astimezone(self.zone).replace(hour=10, minute=0, second=0, microsecond=0)
        while day < end:
            if day.weekday() == 0 and self.random.random() > MISSED:
                self.timeline.plan(day + timedelta(minutes=50), self._meet(day))
            day += timedelta(days=1)
        self.timeline.plan(start + ASKED_AT * (end - start), self._ask)
        self.timeline.plan(start + timedelta(days=240), self._leave("deniz", timedelta(days=5), "Hiking"))
        self.timeline.plan(end - timedelta(days=2), self._leave("ben", timedelta(days=16), "Family"))

    def _meet(self, began: datetime) -> Step:
        def step(now: datetime) -> None:
            here = [self.users["marketing-manager"], self.users["sales-manager"]]
            others = [self.users[key] for key in ("marketer", "jana", "rep", "ben", "chloe", "deniz")]
            here += [other for other in others if self.random.random() < 0.7]
            meetings.log(
                held_at=began,
                attendees=here,
                note=self.random.choice(story.DECISIONS),
                actor=self.users["marketing-manager"],
                now=now,
            )

        return step

    def _leave(self, who: str, ahead: timedelta, note: str) -> Step:
        """Say that somebody will be away for a week."""

        def step(now: datetime) -> None:
            first = (now + ahead).astimezone(self.zone).replace(hour=0, minute=0, second=0, microsecond=0)
            absences.add(
                user=self.users[who],
                starts_at=first,
                ends_at=first + timedelta(days=7),
                note=note,
                actor=self.users[who],
                now=now,
            )

        return step

    # --- the questionnaire -----------------------------------------------------------------------
    def _ask(self, now: datetime) -> None:
        made = questionnaires.start(
            quorum=len(ANSWERING) // 2,
            statements=story.STATEMENTS,
            actor=self.users["marketing-manager"],
            now=now,
        )
        for number, key in enumerate(ANSWERING, start=1):
            self.timeline.plan(now + timedelta(hours=2 * number), self._answer(made.pk, key))

    def _answer(self, pk: int, key: str) -> Step:
        def step(now: datetime) -> None:
            asked = Questionnaire.objects.get(pk=pk)
            user = self.users[key]
            questionnaires.answer(
                questionnaire=asked,
                words={question: story.WORDS[user.side][question] for question in QUESTIONS if user.side},
                ratings={item["key"]: self._rating(user, item["text"]) for item in asked.items},
                labels={case["key"]: self._label(user, case["known"]) for case in asked.cases},
                actor=user,
                now=now,
            )

        return step

    def _rating(self, user: User, text: str) -> int:
        """Sales looks at titles and size, marketing at what people do; both at demos."""
        cares = story.CARES[Side(user.side)] if user.side else ()
        if any(word in text.lower() for word in cares):
            return 1
        return self.random.choice((0, 0, 0, 1, -1))

    def _label(self, user: User, known: Sequence[Sequence[str]]) -> bool:
        decides = any(value in story.GOOD_TITLES for _label, value in known)
        if user.side == Side.SALES:
            return decides and self.random.random() < 0.85
        return decides or self.random.random() < 0.35


def prepare(*, cast: Mapping[str, User], now: datetime) -> None:
    """What stands ready from the first day: a field of companies, texts to begin a mail with."""
    attributes.define(
        subject=AttributeSubject.COMPANY,
        key=story.PLANTS,
        label="Plants in operation",
        type=AttributeType.NUMBER,
        actor=cast["admin"],
        now=now,
    )
    for name, subject, body in story.TEMPLATES:
        mail_templates.write(name=name, subject=subject, body=body, actor=cast["sales-manager"], now=now)


def own_fields(employees: int) -> dict[str, Any]:
    """The values of the company's own fields: some eighty people run a plant."""
    return {story.PLANTS: max(1, round(employees / 80))}
