"""How the reps of the demo company work their leads: fast or slowly, thoroughly or not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from funnel.domain.handoffs import RETURN_REASONS
from funnel.models import Handoff, HandoffState, Opportunity, Product
from funnel.services import delivery, handoffs, opportunities, qualifications
from leads.models import Activity, ActivityKind, ActivityOutcome, Direction, Lead
from leads.services import activities
from leads.services import people as people_services
from smarketing.demo import story
from smarketing.demo.story import Colleague
from smarketing.demo.timeline import Timeline, WorkingHours
from smarketing.users.models import User

Doing = Callable[[datetime], None]
# Who signs in first as a rep finds leads that wait: those of the last hours, and at least so many.
UNREAD = timedelta(hours=3)
WAITING = 3
MAX_DELIVERIES = 2


class Reps:
    """The sales side of the story."""

    def __init__(
        self, users: dict[str, User], timeline: Timeline, hours: WorkingHours, random: Random
    ) -> None:
        self.users, self.timeline, self.hours, self.random = users, timeline, hours, random
        self.traits = {users[c.key].pk: c for c in story.CAST}

    def receive(self, handoff: Handoff, now: datetime) -> None:
        """A rep gets a lead: plan the first attempt, or leave it alone."""
        assert handoff.owner is not None  # noqa: S101 - a delivered handoff has an owner (constraint)
        habit = self.traits[handoff.owner.pk]
        if habit.key == story.SHOWN[0] and now > self.timeline.end - UNREAD:
            return
        if self.random.random() < habit.neglect:
            return
        delay = self.random.lognormvariate(0, 0.75) * habit.answer_minutes
        self.timeline.plan(self.hours.after(now, delay), self._first_attempt(handoff.pk, habit))

    def complete(self, handoff: Handoff, now: datetime) -> None:
        """Marketing completes a lead that failed the gate, mostly, and delivers it."""
        if self.random.random() < 0.7:
            at = self.hours.after(now, self.random.uniform(60, 900))
            self.timeline.plan(at, self._complete_and_deliver(handoff.lead_id))

    def redeliver(self, handoff: Handoff, now: datetime) -> None:
        """Marketing delivers an expired lead once more, to whoever is next."""
        if Handoff.objects.filter(lead_id=handoff.lead_id).count() < MAX_DELIVERIES:
            at = self.hours.after(now, self.random.uniform(30, 400))
            self.timeline.plan(at, self._deliver(handoff.lead_id))

    def even_out(self, now: datetime) -> None:
        """The sales manager gives the rep who signs in first some of what waits with her colleagues."""
        first, waiting = self.users[story.SHOWN[0]], Handoff.objects.filter(state=HandoffState.DELIVERED)
        missing = WAITING - waiting.filter(owner=first).count()
        others = waiting.exclude(owner=first).select_related("lead").order_by("-delivered_at", "-pk")
        for handoff in others[: max(0, missing)]:
            handoffs.reassign(handoff=handoff, owner=first, actor=self.users["sales-manager"], now=now)

    # --- steps -----------------------------------------------------------------------------------
    def _deliver(self, lead_id: int) -> Doing:
        def step(now: datetime) -> None:
            lead = Lead.objects.open().filter(pk=lead_id).first()
            waiting = Handoff.objects.filter(lead_id=lead_id, state=HandoffState.DELIVERED)
            if lead is not None and not waiting.exists():
                delivery.deliver(lead=lead, actor=self.users["marketer"], now=now)

        return step

    def _complete_and_deliver(self, lead_id: int) -> Doing:
        def step(now: datetime) -> None:
            lead = Lead.objects.select_related("person").get(pk=lead_id)
            if not lead.person.last_name:
                people_services.update(
                    person=lead.person,
                    changes={"last_name": self.random.choice(story.LAST_NAMES)},
                    actor=self.users["marketer"],
                    now=now,
                )
            self._deliver(lead_id)(now)

        return step

    def _first_attempt(self, handoff_id: int, habit: Colleague) -> Doing:
        def step(now: datetime) -> None:
            handoff = self._open(handoff_id)
            if handoff is None or handoff.owner is None:
                return
            reached = self.random.random() < 0.35
            self._log(handoff, ActivityKind.CALL, self._outcome(reached), now)
            at = self.hours.after(now, self.random.uniform(3, 45))
            if reached or self.random.random() < 0.55:
                self.timeline.plan(at, self._answer(handoff_id, habit))
            else:
                self.timeline.plan(at, self._next_attempt(handoff_id, habit, 2))

        return step

    def _next_attempt(self, handoff_id: int, habit: Colleague, number: int) -> Doing:
        def step(now: datetime) -> None:
            handoff = self._open(handoff_id)
            if handoff is None:
                return
            kind = ActivityKind.MAIL if number % 2 == 0 else ActivityKind.CALL
            reached = self.random.random() < 0.4
            outcome = ActivityOutcome.SENT if kind == ActivityKind.MAIL else self._outcome(reached)
            self._log(handoff, kind, outcome, now)
            follow = self._answer if reached or number >= 3 else self._again(number)
            self.timeline.plan(self.hours.after(now, self.random.uniform(20, 120)), follow(handoff_id, habit))

        return step

    def _again(self, number: int) -> Callable[[int, Colleague], Doing]:
        return lambda handoff_id, habit: self._next_attempt(handoff_id, habit, number + 1)

    def _answer(self, handoff_id: int, habit: Colleague) -> Doing:
        def step(now: datetime) -> None:
            handoff = self._open(handoff_id)
            if handoff is None or handoff.owner is None:
                return
            if self.random.random() < habit.strict * (0.6 if self._is_good(handoff) else 2.4):
                self._return(handoff, handoff.owner, habit, now)
                return
            handoffs.accept(handoff=handoff, actor=handoff.owner, now=now)
            at = self.hours.after(now, self.random.uniform(120, 2400))
            self.timeline.plan(at, self._qualify(handoff_id, habit))

        return step

    def _return(self, handoff: Handoff, owner: User, habit: Colleague, now: datetime) -> None:
        """Give it back, mostly with a word of why; else the explanation follows, or never does."""
        reason = self._reason(handoff)
        in_a_hurry = not RETURN_REASONS[reason].needs_note and self.random.random() < 0.3
        note = "" if in_a_hurry else story.NOTES[reason]
        handoffs.return_(handoff=handoff, reason=reason, note=note, actor=owner, now=now)
        if in_a_hurry and self.random.random() > habit.neglect * 3:
            at = self.hours.after(now, self.random.uniform(30, 1200))
            self.timeline.plan(at, self._explain(handoff.pk, owner, story.NOTES[reason]))

    def _explain(self, handoff_id: int, owner: User, note: str) -> Doing:
        def step(now: datetime) -> None:
            handoff = Handoff.objects.get(pk=handoff_id)
            if handoff.state == HandoffState.RETURNED and not handoff.return_note:
                handoffs.explain(handoff=handoff, note=note, actor=owner, now=now)

        return step

    def _qualify(self, handoff_id: int, habit: Colleague) -> Doing:
        def step(now: datetime) -> None:
            handoff = Handoff.objects.select_related("lead__person", "lead__company", "owner").get(
                pk=handoff_id
            )
            if handoff.state != HandoffState.ACCEPTED or handoff.owner is None:
                return
            self._log(handoff, ActivityKind.MEETING, ActivityOutcome.HELD, now)
            if self.random.random() > 0.72 * habit.skill + 0.1 * self._is_good(handoff):
                return
            product = self.random.choice(list(Product.objects.order_by("pk")))
            amount = (product.list_price or Decimal(0)) * self.random.choice((1, 1, 2, 3))
            qualifications.record(
                lead=handoff.lead,
                need=self.random.choice(story.NEEDS),
                budget=amount,
                currency="EUR",
                actor=handoff.owner,
                now=now,
            )
            at = self.hours.after(now, self.random.uniform(200, 3000))
            self.timeline.plan(at, self._open_deal(handoff_id, habit, product, amount))

        return step

    def _open_deal(self, handoff_id: int, habit: Colleague, product: Product, amount: Decimal) -> Doing:
        def step(now: datetime) -> None:
            handoff = Handoff.objects.select_related("lead__person", "lead__company", "owner").get(
                pk=handoff_id
            )
            lead, owner = handoff.lead, handoff.owner
            assert owner is not None  # noqa: S101 - accepted handoffs have an owner (constraint)
            deal = opportunities.open(
                lead=lead,
                name=f"{product.name} · {lead.company or lead.person.name}",
                product=product,
                amount=amount,
                currency="EUR",
                owner=owner,
                opened_at=now,
                expected_close_on=(now + timedelta(days=60)).date(),
                actor=owner,
                now=now,
            )
            days = self.random.lognormvariate(3.5, 0.6)
            good = 0.25 + 0.33 * self._is_good(handoff) + 0.12 * habit.skill
            won = self.random.random() < good
            self.timeline.plan(now + timedelta(days=days / 3), self._move(deal.pk, "engaging", owner))
            self.timeline.plan(now + timedelta(days=days), self._close(deal.pk, owner, won=won))

        return step

    def _move(self, deal_id: int, to: str, owner: User) -> Doing:
        def step(now: datetime) -> None:
            deal = self._deal(deal_id)
            opportunities.move(opportunity=deal, to=to, actor=owner, now=now)

        return step

    def _close(self, deal_id: int, owner: User, *, won: bool) -> Doing:
        def step(now: datetime) -> None:
            deal = self._deal(deal_id)
            if won:
                opportunities.move(opportunity=deal, to="won", actor=owner, now=now)
                return
            reason = self.random.choice(story.LOST_REASONS)
            opportunities.move(
                opportunity=deal,
                to="lost",
                lost_reason=reason,
                lost_note=story.LOSSES[reason],
                competitor=self.random.choice(story.COMPETITORS) if reason == "competitor" else "",
                actor=owner,
                now=now,
            )

        return step

    # --- small things ----------------------------------------------------------------------------
    def _deal(self, deal_id: int) -> Opportunity:
        return Opportunity.objects.select_related("stage", "lead").get(pk=deal_id)

    def _handoff(self, handoff_id: int) -> Handoff:
        return Handoff.objects.select_related("lead__person", "lead__company", "owner").get(pk=handoff_id)

    def _open(self, handoff_id: int) -> Handoff | None:
        found = Handoff.objects.open().filter(pk=handoff_id)
        return found.select_related("lead__person", "lead__company", "owner").first()

    def _log(self, handoff: Handoff, kind: str, outcome: str, now: datetime) -> Activity:
        subjects = {
            ActivityKind.CALL: "First call",
            ActivityKind.MAIL: "Follow-up",
            ActivityKind.MEETING: "Needs and budget",
        }
        return activities.log(
            person=handoff.lead.person,
            lead=handoff.lead,
            kind=kind,
            direction=Direction.OUTBOUND,
            outcome=outcome,
            subject=subjects[ActivityKind(kind)],
            occurred_at=now,
            duration_seconds=self.random.randint(40, 900) if kind == ActivityKind.CALL else None,
            actor=handoff.owner,
            now=now,
        )

    def _outcome(self, reached: bool) -> str:  # noqa: FBT001
        return ActivityOutcome.REACHED if reached else ActivityOutcome.NO_ANSWER

    def _is_good(self, handoff: Handoff) -> bool:
        return handoff.lead.person.title in story.GOOD_TITLES

    def _reason(self, handoff: Handoff) -> str:
        weights = (1, 4, 2, 2, 2) if self._is_good(handoff) else (6, 1, 2, 2, 1)
        return self.random.choices(story.RETURNS, weights=weights)[0]
