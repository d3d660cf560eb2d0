"""Alignment: what each side promised the other in the period, and how far it was kept.

Sales' promise is told by the deadlines that fell in the period; marketing's supply by the handoffs
delivered in it. Both use the functions of their own reports, so no page can show another number.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from funnel.models import Handoff
from reporting.domain.results import Column, Figure, Rate, Result, Row, Table, Unit, Value
from reporting.reports import supply
from reporting.reports.parameters import Params
from sla.selectors import attainment

KEY = "alignment"
GROUPINGS: tuple[str, ...] = ()


def title() -> str:
    """The report's name."""
    return _("Alignment: both promises")


def description() -> str:
    """What the report answers."""
    return _("How far sales kept the promise of a first response, and what marketing supplied.")


def behind(params: Params, *, row: str, cell: str, now: datetime) -> QuerySet[Handoff]:
    """The handoffs counted in one cell. Raises ``KeyError`` for one the report does not have."""
    if row == "marketing":
        return supply.behind(params, row=supply.ALL, cell=cell, now=now)
    conditions = attainment.conditions(now=now)
    due = conditions["met"] | conditions["late"] | conditions["missed"]
    wanted = due if cell == "due" else conditions[cell]
    clocks = attainment.deadlines(period=params.period).filter(wanted)
    return Handoff.objects.filter(clocks__in=clocks).distinct()


def run(params: Params, *, now: datetime) -> Result:
    """The promise of sales, the supply of marketing, and the time leads waited."""
    kept = attainment.attainment(period=params.period, now=now)
    times = attainment.response_times(period=params.period, now=now)
    columns, figures = supply.line(params, label=_("Marketing: supply"))
    sales: dict[str, Value] = {
        "label": _("Sales: first response"),
        "due": kept.due,
        "met": kept.met,
        "late": kept.late,
        "missed": kept.missed,
        "running": kept.running,
        "attainment": Rate(kept.met, kept.due),
        "median_hours": _hours(times.median),
        "p90_hours": _hours(times.p90),
        "median_business_hours": _hours(times.open_median),
        "waiting": times.waiting,
    }
    return Result(
        report=KEY,
        title=title(),
        params=params.given,
        figures=[
            Figure(
                Column("attainment", _("First response kept"), Unit.RATE, _("met ÷ due")), sales["attainment"]
            ),
            Figure(Column("delivered", _("Delivered, gross"), opens=False), figures["delivered"]),
            Figure(Column("net", _("Delivered, net")), figures["net"]),
            Figure(Column("accept_rate", _("Accept rate"), Unit.RATE), figures["accept_rate"]),
        ],
        tables=[
            Table("sales", _("What sales promised"), _sales_columns(), [Row("sales", sales)]),
            Table("marketing", _("What marketing supplied"), columns, [Row("marketing", figures)]),
        ],
        as_of=now,
        notes=_notes(times),
        why_empty=None if figures["delivered"] or kept.due or kept.running else supply.why_empty(),
    )


def _sales_columns() -> list[Column]:
    return [
        Column("label", _("Side"), Unit.TEXT),
        Column("due", _("Due"), formula=_("deadlines that fell in the period"), opens=True),
        Column("met", _("Met"), formula=_("first human attempt before the deadline"), opens=True),
        Column("late", _("Late"), formula=_("first attempt after the deadline"), opens=True),
        Column("missed", _("Missed"), formula=_("no attempt (yet), deadline passed"), opens=True),
        Column("running", _("Still running"), formula=_("deadline of the period lies ahead"), opens=True),
        Column("attainment", _("Kept"), Unit.RATE, _("met ÷ due")),
        Column("median_hours", _("Median wait (h)"), Unit.DAYS, _("delivery to first attempt, all hours")),
        Column("p90_hours", _("9 of 10 within (h)"), Unit.DAYS, _("90th percentile, all hours")),
        Column("median_business_hours", _("Median, business h"), Unit.DAYS, _("only business time")),
        Column("waiting", _("Wait now"), formula=_("delivered in the period, no attempt yet")),
    ]


def _hours(value: timedelta | None) -> float | None:
    return None if value is None else round(value / timedelta(hours=1), 2)


def _notes(times: attainment.ResponseTimes) -> list[str]:
    if not times.is_lower_bound:
        return []
    return [_("%(n)s leads still wait; the times can only grow.") % {"n": times.waiting}]
