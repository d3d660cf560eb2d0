"""Which returns marketing contests in the demo company, and how the managers rule."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from random import Random

from funnel.domain.handoffs import RETURN_REASONS
from funnel.models import Appeal, Handoff, HandoffState, Ruling
from funnel.services import appeals
from smarketing.demo import story
from smarketing.demo.timeline import Timeline, WorkingHours
from smarketing.users.models import User

Doing = Callable[[datetime], None]
EVIDENCE = "They asked for a demo themselves, and the company is as large as we agreed. Please call again."
WHY = {
    Ruling.OVERTURNED: "Title and size are what both of us signed. It counts; another rep takes it.",
    Ruling.UPHELD: "Nobody there decides about sensors. The return stands.",
}


class Court:
    """Marketing contests a return that rejects the lead; a manager rules a day or two later."""

    def __init__(self, users: dict[str, User], timeline: Timeline, hours: WorkingHours, *, seed: int) -> None:
        self.users, self.timeline, self.hours = users, timeline, hours
        self.random = Random(seed)  # noqa: S311 - a story, not a secret

    def hear(self, handoff: Handoff, now: datetime) -> None:
        """A lead came back: read why, and contest it mostly where its person decides."""
        likely = 0.8 if handoff.lead.person.title in story.GOOD_TITLES else 0.25
        if RETURN_REASONS[handoff.return_reason].is_rejection and self.random.random() < likely:
            at = self.hours.after(now, self.random.uniform(60, 900))
            self.timeline.plan(at, self._appeal(handoff.pk))

    def _appeal(self, handoff_id: int) -> Doing:
        def step(now: datetime) -> None:
            handoff = Handoff.objects.get(pk=handoff_id)
            if handoff.state != HandoffState.RETURNED:
                return
            made = appeals.appeal(handoff=handoff, evidence=EVIDENCE, actor=self.users["marketer"], now=now)
            self.timeline.plan(self.hours.after(now, self.random.uniform(240, 1400)), self._rule(made.pk))

        return step

    def _rule(self, appeal_id: int) -> Doing:
        def step(now: datetime) -> None:
            appeal = Appeal.objects.select_related("arbiter", "handoff__lead__person").get(pk=appeal_id)
            if appeal.arbiter is None:
                return
            is_good = appeal.handoff.lead.person.title in story.GOOD_TITLES
            ruling = Ruling.OVERTURNED if is_good else Ruling.UPHELD
            appeals.rule(appeal=appeal, ruling=ruling, note=WHY[ruling], actor=appeal.arbiter, now=now)

        return step
