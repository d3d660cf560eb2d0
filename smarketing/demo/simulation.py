"""The year of the demo company: captures, visits, handoffs, calls and deals, by the real services.

Every step calls a service with the simulated instant as ``now``; nothing is written past them. The
same seed and end give the same year. Sweeps run at least once in every simulated hour in which
anything happens, so breaches and expiries come about as they would have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from funnel.domain.handoffs import RETURN_REASONS
from funnel.events import HandoffDelivered, HandoffExpired, HandoffGateFailed, HandoffReturned
from funnel.models import Handoff
from funnel.services import nurture_returns
from leads.models import Campaign, Channel, Lead, Person, Source
from leads.services import leads as lead_services
from leads.services.companies import CompanyInput
from leads.services.people import PersonInput
from sla.services import commitments, sweep
from smarketing.core.events import subscribe
from smarketing.demo import website
from smarketing.demo.court import Court
from smarketing.demo.people import Customer, customers
from smarketing.demo.reps import Reps
from smarketing.demo.rituals import Rituals
from smarketing.demo.timeline import Step, Timeline, WorkingHours
from smarketing.demo.traffic import Traffic
from smarketing.users.models import User

YEAR = timedelta(days=365)
# Visits are stored together after this time; a real worker takes seconds, a story of a year may take hours.
LATENCY = timedelta(hours=5)
SPAM = 3


@dataclass(frozen=True, slots=True)
class World:
    """What the simulation needs of the company that was set up."""

    users: dict[str, User]
    campaigns: dict[str, Campaign]
    site: website.Site
    channels: dict[str, Channel]
    web: Source
    zone: ZoneInfo


class Simulation:
    """One year, ``count`` leads."""

    def __init__(self, world: World, *, count: int, seed: int, end: datetime) -> None:
        self.world = world
        self.random = Random(seed)  # noqa: S311 - a story, not a secret
        self.count = count
        self.start, self.end = end - YEAR, end
        self.timeline = Timeline(end=end)
        self.hours = WorkingHours(world.zone)
        self.reps = Reps(world.users, self.timeline, self.hours, self.random)
        self.court = Court(world.users, self.timeline, self.hours, seed=seed + 2)
        self.rituals = Rituals(world.users, self.timeline, world.zone, seed=seed + 3)
        self._news: list[tuple[int, Callable[[Handoff, datetime], None]]] = []
        self.traffic = Traffic(world.web, seed=seed + 1)
        self._swept_hour: datetime | None = None
        self._swept_day: datetime | None = None

    def run(self) -> int:
        """Plan the captures and let the year happen; returns the number of steps taken."""
        self._listen()
        for customer in list(customers(self.count, self.random)):
            self.timeline.plan(self._moment(customer.when), self._capture(customer))
        for number in range(SPAM):
            self.timeline.plan(self.end - timedelta(hours=3 + 7 * number), self._spam(number))
        self._plan_closings()
        self.rituals.plan(start=self.start, end=self.end)
        self.timeline.plan(self.end - timedelta(minutes=4), self.reps.even_out)
        return self.timeline.run(before=self._sweep, after=self._react)

    def _plan_closings(self) -> None:
        """Close ended weeks, months and quarters when they end, as the worker does."""
        day = self.start.replace(hour=3, minute=0, second=0, microsecond=0) + timedelta(days=1)
        while day < self.end:
            local = day.astimezone(self.world.zone)
            if local.weekday() == 0 or local.day == 1:
                self.timeline.plan(day, _close_ended)
            day += timedelta(days=1)

    # --- marketing -------------------------------------------------------------------------------
    def _capture(self, customer: Customer) -> Step:
        def step(now: datetime) -> None:
            lead = self._lead_of(customer, now)
            self._record_later(now)
            self.traffic.strangers(at=now)
            self.traffic.arrive(customer, at=now)
            self.traffic.named(customer, lead.person, now=now)
            self._plan_visits(customer, lead.person_id, now)
            if customer.is_recent and customer.fit:
                asked = self.end - timedelta(minutes=self.random.uniform(5, 240))
                again = self._ask(customer, lead.person_id)
                self.timeline.plan(max(asked, now + timedelta(minutes=5)), again)

        return step

    def _lead_of(self, customer: Customer, now: datetime) -> Lead:
        """They fill in the form of the guide, or come by another way that is not told in detail."""
        effort = customer.effort
        if effort is not None and effort.name == website.GUIDE and customer.number % 2:
            lead = website.get_guide(site=self.world.site, customer=customer, random=self.random, now=now)
            if lead is not None:
                return lead
        return lead_services.capture(
            source=self.world.web,
            person=PersonInput(
                first_name=customer.first_name,
                last_name=customer.last_name,
                emails=(customer.email,),
                phones=(customer.phone,) if customer.phone else (),
                title=customer.title,
                country=customer.company.country if customer.company else "",
                city=customer.company.city if customer.company else "",
            ),
            company=CompanyInput(customer.company.name, customer.company.domain, customer.company.country)
            if customer.company
            else None,
            captured_at=now,
            origin=customer.origin,
            channel=self.world.channels.get(customer.channel),
            campaign=self.world.campaigns[effort.name] if effort else None,
            landing_page=effort.page if effort else "/contact",
            description=customer.request,
            external_id=f"demo-{customer.number}",
            actor=None,
            now=now,
        ).lead

    def _plan_visits(self, customer: Customer, person_id: int, now: datetime) -> None:
        """Sessions in the following weeks: the hotter a customer, the more and the closer to buying."""
        sessions = 1 + int(self.random.expovariate(1 / (0.6 + 4.2 * customer.heat)))
        at = now + timedelta(minutes=2)
        for index in range(min(sessions, 9)):
            self.timeline.plan(at, self._visit(customer, person_id, index))
            at += timedelta(days=self.random.expovariate(1 / (2.5 + 14 * (1 - customer.heat))))

    def _visit(self, customer: Customer, person_id: int, index: int) -> Step:
        def step(now: datetime) -> None:
            self._record_later(now)
            self.traffic.look(customer, self._pages(customer, index), at=now - timedelta(minutes=2))
            soon = now - timedelta(minutes=1)
            if self.random.random() < 0.25 * customer.heat:
                self.traffic.act(customer, "Content Downloaded", "/guides/ten-figures", at=soon)
            if self.random.random() < 0.16 * customer.heat:
                self.traffic.ask(customer, person_id, "Request a demo", "/demo", at=soon)
            elif index == 0 and customer.effort and customer.effort.kind == "event":
                self.traffic.act(customer, "Webinar Attended", customer.effort.page, at=soon)

        return step

    def _ask(self, customer: Customer, person_id: int) -> Step:
        """Look at the prices and ask for a demo: so the queue of today has something in it."""

        def step(now: datetime) -> None:
            self.traffic.look(customer, ("/pricing",), at=now)
            self.traffic.record(now)
            person = Person.objects.get(pk=person_id)
            website.ask_for_demo(site=self.world.site, person=person, random=self.random, now=now)

        return step

    def _come_back(self, handoff: Handoff, now: datetime) -> None:
        """Whom sales gave back for now asks again some weeks later."""
        if not RETURN_REASONS[handoff.return_reason].refuses_for_ever:
            later = self.hours.after(now + timedelta(days=self.random.uniform(12, 50)), 60)
            self.timeline.plan(later, self._ask_again(handoff.lead.person))

    def _ask_again(self, person: Person) -> Step:
        def step(now: datetime) -> None:
            website.ask_for_demo(site=self.world.site, person=person, random=self.random, now=now)

        return step

    def _spam(self, number: int) -> Step:
        def step(now: datetime) -> None:
            website.send_spam(site=self.world.site, number=number, random=self.random, now=now)

        return step

    def _record_later(self, now: datetime) -> None:
        """Have what is about to happen on the website recorded together with what comes soon after."""
        if self.traffic.is_empty:
            self.timeline.plan(now + LATENCY, self._record)

    def _record(self, now: datetime) -> None:
        if not self.traffic.is_empty:
            self.traffic.record(now)

    def _pages(self, customer: Customer, index: int) -> Sequence[str]:
        first = customer.effort.page if customer.effort and index == 0 else "/"
        choice = ["/products/flow", "/products/leakwatch", "/cases", "/docs/api", "/about"]
        pages = [first, *self.random.sample(choice, k=1 + int(2 * customer.heat))]
        if self.random.random() < customer.heat * 0.8:
            pages.append("/pricing")
        return pages

    # --- the machine -----------------------------------------------------------------------------
    def _listen(self) -> None:
        """Hear of handoffs as the apps do, so that people react without looking for them."""
        subscribe(HandoffDelivered, lambda fact: self._news.append((fact.handoff_id, self.reps.receive)))
        subscribe(HandoffGateFailed, lambda fact: self._news.append((fact.handoff_id, self.reps.complete)))
        subscribe(HandoffExpired, lambda fact: self._news.append((fact.handoff_id, self.reps.redeliver)))
        subscribe(HandoffReturned, lambda fact: self._news.append((fact.handoff_id, self._come_back)))
        subscribe(HandoffReturned, lambda fact: self._news.append((fact.handoff_id, self.court.hear)))

    def _sweep(self, now: datetime) -> None:
        hour = now.replace(minute=0, second=0, microsecond=0)
        if hour == self._swept_hour:
            return
        self._swept_hour = hour
        while sweep.run_once(now=now, limit=500):
            pass
        day = hour.replace(hour=0)
        if day != self._swept_day:
            self._swept_day = day
            nurture_returns.run_once(now=now, limit=500)
        self._react(now)

    def _react(self, now: datetime) -> None:
        """Have people plan what they do about the handoffs that the last step has changed."""
        news, self._news = self._news, []
        for handoff_id, react in news:
            handoff = Handoff.objects.select_related("lead__person", "owner").get(pk=handoff_id)
            react(handoff, now)

    def _moment(self, share: float) -> datetime:
        """An instant of the year, on working days more often than at week-ends, in daylight."""
        at = self.start + share * YEAR
        local = at.astimezone(self.world.zone)
        if local.weekday() >= 5 and self.random.random() < 0.7:
            at += timedelta(days=2)
        minutes = min(max(self.random.gauss(13.5 * 60, 190), 6 * 60), 23 * 60)
        day = at.astimezone(self.world.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        return (day + timedelta(minutes=minutes)).astimezone(self.start.tzinfo)


def _close_ended(now: datetime) -> None:
    commitments.close_ended(now=now)
