"""One timeline of everything known about a person, or about all people of a company, newest first.

Providers of this app and of downstream apps each read their own table by index; the streams are
merged, and neighbouring events of one visit become one entry. A page starts at the position of the
last row shown, so its cost does not depend on how much there is.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from leads.models import Company, Person
from smarketing.core.errors import DomainError
from smarketing.core.prepared import Query, given

M = TypeVar("M", bound=Model)
Text = str | Promise
Subject = Person | Company
PAGE = 25
# A live page asks for what stands above its own end; with more than so many new entries it starts anew.
MOST_LIVE = 50
VISIT_GAP = timedelta(minutes=30)


class BadPosition(DomainError):
    """The position was not made by a timeline."""

    status = 400
    code = "bad_cursor"
    title = "The page can't be found"


class Category(StrEnum):
    """What the tabs above the timeline choose from."""

    BEHAVIOUR = "behaviour"
    TOUCH = "touch"
    ACTIVITY = "activity"
    PIPELINE = "pipeline"
    PROMISE = "promise"
    CONSENT = "consent"

    @property
    def label(self) -> Text:
        """The word on the tab."""
        return _CATEGORY_LABELS[self]


_CATEGORY_LABELS: dict[Category, Text] = {
    Category.BEHAVIOUR: gettext_lazy("Behaviour"),
    Category.TOUCH: gettext_lazy("Touchpoints"),
    Category.ACTIVITY: gettext_lazy("Activities"),
    Category.PIPELINE: gettext_lazy("Stages"),
    Category.PROMISE: gettext_lazy("Clocks"),
    Category.CONSENT: gettext_lazy("Consent"),
}


class Facts(StrEnum):
    """Whose facts are shown: what the person did, what marketing did, what sales did."""

    PERSON = "person"
    MARKETING = "marketing"
    SALES = "sales"

    @property
    def label(self) -> Text:
        """The word of the choice."""
        return _FACTS_LABELS[self]


_FACTS_LABELS: dict[Facts, Text] = {
    Facts.PERSON: gettext_lazy("What they did"),
    Facts.MARKETING: gettext_lazy("What marketing did"),
    Facts.SALES: gettext_lazy("What sales did"),
}
# Stages are moved by both teams.
_FACTS_OF: dict[Category, frozenset[Facts]] = {
    Category.BEHAVIOUR: frozenset({Facts.PERSON}),
    Category.TOUCH: frozenset({Facts.MARKETING}),
    Category.ACTIVITY: frozenset({Facts.SALES}),
    Category.PIPELINE: frozenset({Facts.MARKETING, Facts.SALES}),
    Category.PROMISE: frozenset({Facts.SALES}),
    Category.CONSENT: frozenset({Facts.PERSON}),
}


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the order: time, then provider, then key; all descending."""

    at: datetime
    provider: str
    pk: str

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.provider}~{self.pk}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline, as ``components/timeline.html`` shows it.

    ``provider`` and ``pk`` say which row it is; ``visit`` marks an event that joins its neighbours,
    ``is_of_visit`` a contact that says only how the visit beside it began: that visit tells it.
    ``more_url`` holds what is inside and is fetched when the entry is opened; ``about`` names the person
    on the page of a company.
    """

    at: datetime
    provider: str
    pk: int | str
    title: Text
    icon: str
    tone: str = "plain"
    detail: Text = ""
    who: Text = ""
    url: str = ""
    lead_id: int | None = None
    visit: bool = False
    is_of_visit: bool = False
    more_url: str = ""
    about: Text = ""
    about_url: str = ""

    @property
    def key(self) -> str:
        """The id of the entry on a page, the same for as long as its row lives."""
        return f"entry-{self.provider}-{self.pk}"

    @property
    def position(self) -> Position:
        """Where the entry stands."""
        return Position(self.at, self.provider, str(self.pk))


@dataclass(frozen=True, slots=True)
class Timeline:
    """Entries, newest first, and where the next page starts (``None`` at the end)."""

    entries: list[Entry]
    next: Position | None


Read = Callable[..., Sequence[Entry]]


@dataclass(frozen=True, slots=True)
class Provider:
    """A source of entries.

    ``read(person, *, before: Position | None, limit: int)`` returns at most ``limit`` entries before
    the position, newest first; :func:`window` does the order. Names are unique. With ``companies`` it
    reads for a company as well. ``facts`` says whose facts they are where the category does not.
    """

    name: str
    category: Category
    read: Read
    per_entry: int = 1
    companies: bool = False
    facts: frozenset[Facts] = frozenset()

    def tells(self, only: Collection[Category], of: Facts | None) -> bool:
        """Whether its entries are among those asked for."""
        whose = self.facts or _FACTS_OF[self.category]
        return (not only or self.category in only) and (of is None or of in whose)


_providers: dict[str, Provider] = {}


def register(provider: Provider) -> None:
    """Add a source of entries. Called from ``wiring.connect`` only; the same name twice replaces."""
    _providers[provider.name] = provider


def categories(*, companies: bool = False) -> list[Category]:
    """The categories that have a provider, in the order of the tabs."""
    known = {p.category for p in _providers.values() if p.companies or not companies}
    return [c for c in Category if c in known]


@dataclass(frozen=True, slots=True)
class Anyone:
    """Stands for whichever subject a prepared first page is asked about."""

    is_company: bool


def whose(subject: Subject | Anyone, path: str, *, of_people: bool = True) -> Q:
    """Rows about the person at ``path``, or about anybody of the company; or (not ``of_people``) those whose
    ``path`` is the subject itself.
    """
    value = given("subject") if isinstance(subject, Anyone) else subject
    if of_people and is_company(subject):
        return Q(**{f"{path}__company": value, f"{path}__merged_into": None})
    return Q(**{path: value})


def is_company(subject: Subject | Anyone) -> bool:
    """Whether the page is that of a company."""
    return subject.is_company if isinstance(subject, Anyone) else isinstance(subject, Company)


def about(subject: Subject, person: Person) -> dict[str, Any]:
    """Who an entry is about, where the page is that of a company; of ``Entry``, as keywords."""
    if not isinstance(subject, Company):
        return {}
    return {"about": person.name or _("Somebody"), "about_url": f"/people/{person.pk}/"}


def of_person(
    person: Person,
    *,
    before: Position | None = None,
    limit: int = PAGE,
    only: Collection[Category] = (),
    of: Facts | None = None,
) -> Timeline:
    """One page of the person's timeline. ``only`` narrows it to some categories, ``of`` to whose facts."""
    chosen = [p for p in _providers.values() if p.tells(only, of)]
    return _read(person, chosen, before, limit)


def of_company(
    company: Company,
    *,
    before: Position | None = None,
    limit: int = PAGE,
    only: Collection[Category] = (),
    of: Facts | None = None,
) -> Timeline:
    """One page of what happened with all people of a company."""
    chosen = [p for p in _providers.values() if p.companies and p.tells(only, of)]
    return _read(company, chosen, before, limit)


def down_to(
    subject: Subject, floor: Position | None, *, only: Collection[Category] = (), of: Facts | None = None
) -> Timeline | None:
    """The entries from the newest down to ``floor``, for a page that is kept live.

    ``None`` for the floor means that the page held everything. Returns ``None`` when so much is new that
    the page has to start anew.
    """
    if isinstance(subject, Company):
        found = of_company(subject, limit=MOST_LIVE, only=only, of=of)
    else:
        found = of_person(subject, limit=MOST_LIVE, only=only, of=of)
    if floor is None:
        return found if found.next is None else None
    kept = [entry for entry in found.entries if _rank(entry.position) >= _rank(floor)]
    is_whole = found.next is None or _rank(found.next) <= _rank(floor)
    return Timeline(kept, floor) if is_whole else None


def _read(subject: Subject, chosen: Sequence[Provider], before: Position | None, limit: int) -> Timeline:
    streams: list[list[Entry]] = []
    horizon: Position | None = None
    for provider in chosen:
        asked = limit * provider.per_entry + 1
        rows = list(provider.read(subject, before=before, limit=asked))
        streams.append(rows)
        if len(rows) >= asked:
            # There is more below: nothing of the others may be shown below what was read of this.
            lowest = rows[-1].position
            horizon = lowest if horizon is None or _rank(lowest) > _rank(horizon) else horizon
    merged = heapq.merge(*streams, key=lambda e: _rank(e.position), reverse=True)
    return _page(merged, horizon, limit)


def window(
    queryset: QuerySet[M], *, provider: str, before: Position | None, limit: int, at: str = "occurred_at"
) -> list[M]:
    """The newest ``limit`` rows of ``queryset`` before the position, by index on (…, -at, -pk)."""
    if before is not None:
        queryset = queryset.filter(_earlier(before, provider, at, queryset.model))
    return list(queryset.order_by(f"-{at}", "-pk")[:limit])


def newest(
    build: Callable[[Subject | Anyone], QuerySet[M]],
    subject: Subject,
    *,
    provider: str,
    before: Position | None,
    limit: int,
    at: str = "occurred_at",
) -> list[M]:
    """As :func:`window`, of the query set that ``build`` makes of the subject. That of a first page is
    prepared: each page asks all providers, which costs more to write than to read.
    """
    if before is not None:
        return window(build(subject), provider=provider, before=before, limit=limit, at=at)
    key = (provider, is_company(subject))
    if key not in _first_pages:
        anyone = Anyone(is_company(subject))
        ending = "LIMIT %(most)s"
        _first_pages[key] = Query(
            f"timeline_{provider}", lambda: build(anyone).order_by(f"-{at}", "-pk"), ending=ending
        )
    found: list[M] = _first_pages[key].all(subject=subject.pk, most=limit)
    return found


_first_pages: dict[tuple[str, bool], Query[Any]] = {}


def position_of(text: str) -> Position | None:
    """The position written in an address; ``None`` for the top. Raises :class:`BadPosition`."""
    if not text:
        return None
    try:
        moment, provider, pk = text.split("~")
        at = datetime.fromisoformat(moment)
    except ValueError as error:
        raise _bad_position() from error
    if at.tzinfo is None or len(pk) > 40 or provider not in _providers:
        raise _bad_position()
    return Position(at, provider, pk)


def _bad_position() -> BadPosition:
    return BadPosition(_("This place in the timeline does not exist. Start from the top."))


def _earlier(before: Position, provider: str, at: str, model: type[Model]) -> Q:
    """Rows of one provider below a position that may belong to another one."""
    if provider < before.provider:
        return Q(**{f"{at}__lte": before.at})
    if provider > before.provider:
        return Q(**{f"{at}__lt": before.at})
    try:
        pk = model._meta.pk.to_python(before.pk)
    except ValidationError as error:
        raise _bad_position() from error
    if isinstance(pk, int) and pk >= 2**63:
        raise _bad_position()
    return Q(**{f"{at}__lte": before.at}) & (Q(**{f"{at}__lt": before.at}) | Q(pk__lt=pk))


def _rank(position: Position) -> tuple[datetime, str, Any]:
    pk = position.pk
    return (position.at, position.provider, (int(pk), "") if pk.isdecimal() else (0, pk))


def _page(merged: Iterator[Entry], horizon: Position | None, limit: int) -> Timeline:
    entries: list[Entry] = []
    visit: list[Entry] = []
    last: Position | None = None
    more = False
    for row in merged:
        is_below = horizon is not None and _rank(row.position) < _rank(horizon)
        if row.is_of_visit and entries and not is_below and _began(entries[-1], row):
            last = row.position
            continue
        joins = row.visit and bool(visit) and visit[-1].at - row.at <= VISIT_GAP
        if is_below or (not joins and len(entries) + bool(visit) >= limit):
            more = True
            break
        if visit and not joins:
            entries.append(_visit(visit))
            visit = []
        if row.visit:
            visit.append(row)
        else:
            entries.append(row)
        last = row.position
    if visit:
        entries.append(_visit(visit))
    return Timeline(entries, last if more or (horizon is not None and last == horizon) else None)


def _began(visit: Entry, touch: Entry) -> bool:
    """Whether the contact is how that visit began."""
    return visit.provider == "visit" and visit.at == touch.at


def _visit(rows: list[Entry]) -> Entry:
    """Neighbouring events as one entry, dated at the newest."""
    if len(rows) == 1:
        return rows[0]
    titles = list(dict.fromkeys(str(r.title) for r in rows))
    shown = " · ".join(titles[:4]) + (" …" if len(titles) > 4 else "")
    count = len(rows)
    title = ngettext("%(n)d action in one visit", "%(n)d actions in one visit", count) % {"n": count}
    return replace(rows[0], title=title, detail=shown, icon="mouse-pointer-click", url="")
