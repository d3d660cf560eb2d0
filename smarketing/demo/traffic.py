"""What happens on the demo company's website, told to tracking as its own tracker would tell it.

Each customer has a browser; before they fill in a form they are an anonymous visitor, and the form says who
the visitor was. Strangers come too, who look at a page or two and leave no name. The traffic draws its
chances from a seed of its own, so that it changes nothing about the rest of the year.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from leads.domain.tracking import Message, MessageType, PageContext, event_id
from leads.models import EventKind, Person, Source
from leads.services import events, tracking, visitors
from leads.services.events import EventInput
from smarketing.demo import story
from smarketing.demo.people import Customer

AGENT = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"
)
READING = timedelta(seconds=75)
_SITE = f"https://{story.DOMAIN}"
# How a visit of each channel of the story comes: referrer, utm_source, utm_medium.
_ROADS = {
    "paid_search": ("https://www.google.com/", "google", "cpc"),
    "organic_search": ("https://www.google.com/", "", ""),
    "email": ("", "newsletter", "email"),
    "paid_social": ("https://www.linkedin.com/", "linkedin", "paid_social"),
    "referral": ("https://pumpworks.example/partners", "", ""),
}
_STRANGE = {
    "organic_search": 5,
    "direct": 4,
    "paid_search": 3,
    "paid_social": 2,
    "referral": 1,
    "email": 1,
}
_PAGES = ("/", "/products/flow", "/products/leakwatch", "/cases", "/about", "/guides/ten-figures", "/pricing")


class Traffic:
    """Messages on their way, as in the inbox of a real installation."""

    def __init__(self, source: Source, *, seed: int) -> None:
        self.source = source
        self.random = Random(seed)  # noqa: S311 - a story, not a secret
        self._messages: list[Message] = []
        self._forms: list[EventInput] = []
        self._told = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be recorded."""
        return not (self._messages or self._forms)

    def arrive(self, customer: Customer, *, at: datetime) -> None:
        """The visit that ends with their form: nobody knows yet who it is."""
        channel = customer.effort.channel if customer.effort else customer.channel
        first = customer.effort.page if customer.effort else "/contact"
        self._visit(_browser(customer), (first, "/contact"), channel, at - 3 * READING, customer)

    def strangers(self, *, at: datetime) -> None:
        """One or two people who look around and go."""
        for _n in range(self.random.randint(1, 3)):
            number = self.random.getrandbits(64)
            channel = self.random.choices(list(_STRANGE), list(_STRANGE.values()))[0]
            pages = self.random.sample(_PAGES, k=self.random.choice((1, 1, 2, 3)))
            when = at - timedelta(minutes=self.random.uniform(10, 600))
            self._visit(f"stranger-{number:016x}", pages, channel, when, None)

    def look(self, customer: Customer, pages: Sequence[str], *, at: datetime) -> None:
        """A later visit of somebody who is known."""
        self._visit(_browser(customer), pages, "direct", at - len(pages) * READING, None)

    def act(self, customer: Customer, name: str, page: str, *, at: datetime) -> None:
        """An action on a page."""
        self._tell(_browser(customer), MessageType.TRACK, page, at, name=name)

    def ask(self, customer: Customer, person_id: int, name: str, page: str, *, at: datetime) -> None:
        """A form that they fill in, known as they are."""
        self._told += 1
        self._forms.append(
            EventInput(
                source=self.source,
                message_id=f"form-{self._told}",
                kind=EventKind.FORM,
                name=name,
                url=f"{_SITE}{page}",
                occurred_at=at,
                person_id=person_id,
                anonymous_id=_browser(customer),
            )
        )

    def named(self, customer: Customer, person: Person, *, now: datetime) -> None:
        """Their form says whose browser it is."""
        visitors.join(source=self.source, anonymous_id=_browser(customer), person=person, at=now, now=now)

    def record(self, now: datetime) -> None:
        """Apply what has come since the last time, as a worker takes a batch from the inbox."""
        messages, self._messages = self._messages, []
        forms, self._forms = self._forms, []
        tracking.apply(messages=messages, now=now)
        events.record(rows=forms, now=now)

    def _visit(
        self, browser: str, pages: Sequence[str], channel: str, at: datetime, customer: Customer | None
    ) -> None:
        referrer, source, medium = _ROADS.get(channel, ("", "", ""))
        campaign = {"utm_source": source, "utm_medium": medium} if source else {}
        if campaign and customer is not None and customer.effort:
            campaign["utm_campaign"] = customer.effort.name.lower()
        for number, page in enumerate(pages):
            self._tell(
                browser,
                MessageType.PAGE,
                page,
                at + number * READING,
                referrer=referrer if number == 0 else f"{_SITE}{pages[number - 1]}",
                campaign=campaign if number == 0 else {},
            )

    def _tell(
        self,
        browser: str,
        kind: MessageType,
        page: str,
        at: datetime,
        *,
        name: str = "",
        referrer: str = "",
        campaign: dict[str, str] | None = None,
    ) -> None:
        self._told += 1
        message_id = f"visit-{self._told}"
        self._messages.append(
            Message(
                id=event_id(source_code=self.source.code, message_id=message_id),
                message_id=message_id,
                source_id=self.source.pk,
                type=kind,
                occurred_at=at,
                received_at=at,
                anonymous_id=browser,
                name=name,
                page=PageContext(url=f"{_SITE}{page}", path=page, referrer=referrer),
                campaign=campaign or {},
                user_agent=AGENT,
            )
        )


def _browser(customer: Customer) -> str:
    return f"demo-browser-{customer.number}"
