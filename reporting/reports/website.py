"""The website: visitors, how they came, what they read, and what became of them.

Visitors, sessions and pages come from daily rollups; leads are those captured in the period after a visit of
the period, of which the last one counts. Visitors of a period are exact: each counts once, on the first day
of the period on which they came.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from leads.models import Person, Session, Visitor
from reporting.domain.results import Column, Figure, Rate, Result, Row, Table, Unit, Value
from reporting.models import Journey
from reporting.reports.parameters import Params
from reporting.selectors import website
from reporting.selectors.website import Converted, Fate, Stretch
from smarketing.core import periods

KEY = "website"
GROUPINGS = ("channel", "campaign", "landing", "day")
ALL = "all"
PAGES = 50
DEFAULT_DAYS = 30
_FIGURES = ("visitors", "new", "returning", "sessions", "known_rate", "leads", "customers")


def title() -> str:
    """The report's name."""
    return _("Website")


def description() -> str:
    """What the report answers."""
    return _("Visitors, how they came, what they read, and how many of them became leads and customers.")


def stretch_of(params: Params, *, now: datetime) -> Stretch:
    """The days asked for; without a first one the last thirty."""
    last = params.last or now.astimezone(params.zone).date()
    first = params.first or last - timedelta(days=DEFAULT_DAYS - 1)
    period = periods.of_dates(first, max(first, last), zone=params.zone)
    if period.start is None or period.end is None:
        raise ValueError("a stretch has both ends")
    return Stretch(first, max(first, last), params.source_id, params.zone, period.start, period.end)


def run(params: Params, *, now: datetime) -> Result:
    """Figures, the road from stranger to customer, visits by one dimension, and pages; nine queries."""
    stretch = stretch_of(params, now=now)
    unique, total = website.uniques(stretch), website.totals(stretch)
    leads = website.converted(stretch)
    steps = _steps(unique, leads)
    values: dict[str, Value] = {
        "visitors": unique.visitors,
        "new": unique.new,
        "returning": unique.returning,
        "sessions": total["sessions_sum"],
        "known_rate": _rate(unique.known, unique.visitors),
        "leads": len(leads),
        "customers": sum(lead.is_customer for lead in leads),
    }
    return Result(
        report=KEY,
        title=title(),
        params=params.given,
        figures=[Figure(column, values[column.key]) for column in _figure_columns()],
        tables=[steps, _visits(stretch, params.by, leads), _pages(stretch)],
        as_of=website.computed_at(stretch) or now,
        notes=_notes(total["sessions_sum"]),
        why_empty=None if total["sessions_sum"] else _why_empty(),
    )


def behind(
    params: Params, *, row: str, cell: str, now: datetime
) -> QuerySet[Visitor] | QuerySet[Session] | QuerySet[Journey] | QuerySet[Person]:
    """The records counted in one cell. Raises ``KeyError`` or ``ValueError`` for one that is not there."""
    stretch = stretch_of(params, now=now)
    kind, _colon, key = row.partition(":")
    if kind == "page":
        return _readers(stretch, key, cell)
    if kind == "step":
        cell = key
    if cell in ("visitors", "new", "returning", "known", "known_rate"):
        return _visitors(stretch, cell)
    group = (kind, key) if kind in GROUPINGS else None
    if cell == "sessions":
        return _sessions(stretch, group)
    is_counted = {"leads": lambda _l: True, "mqls": _is_mql, "customers": _is_customer}[cell]
    found = [
        lead.lead
        for lead in website.converted(stretch)
        if is_counted(lead) and (group is None or lead.keys[group[0]] == group[1])
    ]
    return Journey.objects.filter(pk__in=found)


def _steps(unique: website.Uniques, leads: Sequence[Converted]) -> Table:
    """From stranger to customer: persons, each once."""
    counts = {
        "visitors": (_("Visitors"), unique.visitors),
        "known": (_("Known by name or address"), unique.known),
        "leads": (_("Leads"), _persons(leads)),
        "mqls": (_("MQLs"), _persons(filter(_is_mql, leads))),
        "customers": (_("Customers"), _persons(filter(_is_customer, leads))),
    }
    rows, before = [], None
    for key, (label, count) in counts.items():
        values: dict[str, Value] = {
            "label": label,
            "reached": count,
            "from_previous": None if before is None else _rate(count, before),
            "from_visitors": None if before is None else _rate(count, unique.visitors),
        }
        rows.append(Row(f"step:{key}", values))
        before = count
    columns = [
        Column("label", _("Step"), Unit.TEXT),
        Column("reached", _("Reached"), formula=_("persons who came so far by now"), opens=True),
        Column("from_previous", _("Of the step before"), Unit.RATE, _("reached ÷ step before")),
        Column("from_visitors", _("Of all visitors"), Unit.RATE, _("reached ÷ visitors")),
    ]
    return Table("steps", _("From stranger to customer"), columns, rows)


def _visits(stretch: Stretch, by: str, leads: Sequence[Converted]) -> Table:
    rows = []
    for line in website.visits(stretch, by):
        key = line["key"].isoformat() if isinstance(line["key"], date) else line["key"]
        own = [lead for lead in leads if lead.keys[by] == key]
        rows.append(Row(f"{by}:{key}", _visit_values(line, str(line["label"] or _("(none)")), own)))
    heads = {
        "channel": _("Channel"),
        "campaign": _("Campaign"),
        "landing": _("Landing page"),
        "day": _("Day"),
    }
    columns = [
        Column("label", heads[by], Unit.TEXT),
        Column("sessions", _("Sessions"), opens=True),
        Column("firsts", _("First visits"), formula=_("sessions that were a visitor's first ever")),
        Column("leads", _("Leads"), formula=_("captured after a visit that came so"), opens=True),
        Column("lead_rate", _("Sessions that made a lead"), Unit.RATE, _("of all sessions that came so")),
        Column("mqls", _("MQLs"), formula=_("of these leads, those that met the definition"), opens=True),
        Column("customers", _("Customers"), formula=_("of these leads"), opens=True),
    ]
    return Table(f"by_{by}", _("Visits by %(what)s") % {"what": heads[by].lower()}, columns, rows)


def _visit_values(line: dict[str, Any], label: str, own: Sequence[Converted]) -> dict[str, Value]:
    return {
        "label": label,
        "sessions": line["sessions_sum"],
        "firsts": line["firsts_sum"],
        "leads": len(own),
        "lead_rate": _rate(len({lead.session for lead in own}), line["sessions_sum"]),
        "mqls": sum(lead.is_mql for lead in own),
        "customers": sum(lead.is_customer for lead in own),
    }


def _pages(stretch: Stretch) -> Table:
    """The most seen pages with what became of their known readers."""
    found = website.pages(stretch, limit=PAGES)
    fates = website.fates(stretch, [page["path"] for page in found])
    rows = [
        Row(f"page:{page['path']}", _page_values(page, fates.get(page["path"], Fate()))) for page in found
    ]
    columns = [
        Column("label", _("Page"), Unit.TEXT),
        Column("views", _("Views")),
        Column("entries", _("Entries"), formula=_("sessions that began there")),
        Column("attention", _("Seconds each"), formula=_("measured attention ÷ views")),
        Column("readers", _("Known readers"), formula=_("persons we know who read it"), opens=True),
        Column("lead_rate", _("Became leads"), Unit.RATE, _("of the known readers, at any time"), opens=True),
        Column("mql_rate", _("Became MQLs"), Unit.RATE, _("of the known readers, at any time"), opens=True),
        Column("customer_rate", _("Became customers"), Unit.RATE, _("of the known readers"), opens=True),
    ]
    return Table("pages", _("Pages and their readers"), columns, rows)


def _page_values(page: dict[str, Any], fate: Fate) -> dict[str, Value]:
    return {
        "label": page["path"] if not page["title"] else f"{page['path']} · {page['title']}",
        "views": page["views_sum"],
        "entries": page["entries_sum"],
        "attention": round(page["attention_sum"] / page["views_sum"]) if page["views_sum"] else None,
        "readers": fate.readers,
        "lead_rate": _rate(fate.leads, fate.readers),
        "mql_rate": _rate(fate.mqls, fate.readers),
        "customer_rate": _rate(fate.customers, fate.readers),
    }


def _readers(stretch: Stretch, path: str, cell: str) -> QuerySet[Person]:
    outcome = {
        "readers": Q(),
        "lead_rate": Q(leads__journey__isnull=False),
        "mql_rate": Q(leads__journey__mql_at__isnull=False)
        | Q(leads__journey__sql_at__isnull=False)
        | Q(leads__journey__opportunity_at__isnull=False)
        | Q(leads__journey__won_at__isnull=False),
        "customer_rate": Q(leads__journey__won_at__isnull=False),
    }[cell]
    readers = website.readers_of(stretch, path).values("person")
    became = Person.objects.filter(outcome, pk__in=readers).values("pk")
    return Person.objects.filter(pk__in=became)


def _visitors(stretch: Stretch, cell: str) -> QuerySet[Visitor]:
    sessions = stretch.sessions()
    if cell in ("known", "known_rate"):
        sessions = sessions.filter(person__isnull=False)
    found = Visitor.objects.filter(pk__in=sessions.values("visitor"))
    before = Session.objects.filter(started_at__lt=stretch.start, visitor__in=sessions.values("visitor"))
    if cell == "new":
        return found.exclude(pk__in=before.values("visitor"))
    return found.filter(pk__in=before.values("visitor")) if cell == "returning" else found


def _sessions(stretch: Stretch, group: tuple[str, str] | None) -> QuerySet[Session]:
    sessions = stretch.sessions()
    if group is None:
        return sessions
    by, key = group
    if by == "channel":
        return sessions.filter(channel__code=key)
    if by == "campaign":
        missing = Q(parameters__utm_campaign__isnull=True) | Q(parameters__utm_campaign="")
        return sessions.filter(Q(parameters__utm_campaign=key) if key else missing)
    if by == "landing":
        return sessions.filter(
            entry_url__regex=rf"^([a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*)?{_literal(key)}/?([?#]|$)"
        )
    day = date.fromisoformat(key)
    period = periods.of_dates(day, day, zone=stretch.zone)
    return sessions.filter(started_at__gte=period.start, started_at__lt=period.end)


def _literal(path: str) -> str:
    """The path within a regular expression of PostgreSQL; the root may be left out of an address."""
    text = "".join(c if c.isalnum() or c in "/_-" else f"\\{c}" for c in path)
    return "/?" if text == "/" else text


def _persons(leads: Iterable[Converted]) -> int:
    return len({lead.person for lead in leads})


def _is_mql(lead: Converted) -> bool:
    return lead.is_mql


def _is_customer(lead: Converted) -> bool:
    return lead.is_customer


def _rate(k: int, n: int) -> Rate | None:
    """A share; none where the parts were counted by different days and do not fit."""
    return Rate(k, n) if k <= n else None


def _figure_columns() -> list[Column]:
    return [
        Column("visitors", _("Visitors"), formula=_("each browser once in the period"), opens=True),
        Column("new", _("New"), formula=_("never seen before"), opens=True),
        Column("returning", _("Returning"), formula=_("had been here before the period"), opens=True),
        Column("sessions", _("Sessions"), formula=_("visits with less than half an hour's rest"), opens=True),
        Column("known_rate", _("Known"), Unit.RATE, _("visitors who are persons we know"), opens=True),
        Column("leads", _("Leads"), formula=_("captured after a visit of the period"), opens=True),
        Column("customers", _("Customers"), formula=_("of these leads, by now"), opens=True),
    ]


def _notes(sessions: int) -> list[str]:
    if not sessions:
        return []
    return [
        _("A visitor is a browser: one person on two devices counts twice until they are known on both."),
        _("Days follow the organisation's time zone and are counted within seconds of a visit."),
    ]


def _why_empty() -> str:
    if website.bounds()[0] is None:
        return _("No visit has been recorded yet. Put the tracker on your pages, and they appear here.")
    return _("Nobody visited in this period. Choose a longer one.")
