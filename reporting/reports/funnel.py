"""The funnel of a cohort: how far the leads captured in a period came, per lap.

Each step counts the leads that reached it at any later time, skipped stages included (the ledger
records them as implied), so a step never exceeds the one before it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from reporting.domain.results import Column, Figure, Rate, Result, Row, Table, Unit
from reporting.models import Journey
from reporting.reports import sources
from reporting.reports.parameters import Params

KEY = "funnel"
GROUPINGS: tuple[str, ...] = ()

_LATER: dict[str, tuple[str, ...]] = {
    "lead": (),
    "mql": ("mql_at", "sql_at", "opportunity_at", "won_at"),
    "sql": ("sql_at", "opportunity_at", "won_at"),
    "opportunity": ("opportunity_at", "won_at"),
    "customer": ("won_at",),
}
_INSTANT = {
    "lead": "captured_at",
    "mql": "mql_at",
    "sql": "sql_at",
    "opportunity": "opportunity_at",
    "customer": "won_at",
}
# A person who comes back counts once per lap, so that they neither add to the first nor hide in it.
_LAPS = {"lap1": Q(lead__lap=1), "lap2": Q(lead__lap=2), "lap3": Q(lead__lap__gte=3)}


def title() -> str:
    """The report's name."""
    return _("Funnel")


def description() -> str:
    """What the report answers."""
    return _("How far the leads captured in the period came, step by step, and how long it took.")


def reached(step: str) -> Q:
    """Leads that reached ``step`` or any later one."""
    condition = Q()
    for column in _LATER[step]:
        condition |= Q(**{f"{column}__isnull": False})
    return condition


def behind(params: Params, *, row: str, cell: str, now: datetime) -> QuerySet[Journey]:
    """The journeys counted in one cell. Raises ``KeyError`` for one the report does not have."""
    if row in _LAPS:
        return sources.cohort(params).filter(_LAPS[row], reached(cell))
    journeys = sources.cohort(params).filter(reached(row))
    if cell == "reached":
        return journeys
    if cell == "stuck":
        steps = list(_LATER)
        following = steps[steps.index(row) + 1 :]
        return journeys.exclude(reached(following[0])) if following else journeys.none()
    raise KeyError(cell)


def run(params: Params, *, now: datetime) -> Result:
    """One pass for the counts, one for the median days between steps."""
    counts = sources.cohort(params).aggregate(**{step: Count("pk", filter=reached(step)) for step in _LATER})
    days = _median_days(params)
    labels = _labels()
    rows, previous = [], None
    for step in _LATER:
        count = counts[step]
        rows.append(
            Row(
                step,
                {
                    "stage": labels[step],
                    "reached": count,
                    "from_previous": Rate(count, counts[previous]) if previous else None,
                    "from_lead": Rate(count, counts["lead"]),
                    "stuck": counts[previous] - count if previous else None,
                    "median_days": days.get(step),
                },
            )
        )
        previous = step
    total = counts["lead"]
    return Result(
        report=KEY,
        title=title(),
        params=params.given,
        figures=[
            Figure(Column("leads", _("Leads"), formula=_("leads captured in the period"), opens=True), total),
            Figure(
                Column(
                    "customer_rate", _("Lead to customer"), Unit.RATE, _("customers ÷ leads of the cohort")
                ),
                Rate(counts["customer"], total),
            ),
        ],
        tables=[Table("stages", _("Stages"), _columns(), rows), _laps(params)],
        as_of=now,
        notes=_notes(params, total),
        why_empty=None if total else sources._why_empty(params),
    )


def _labels() -> dict[str, str]:
    return {
        "lead": _("Lead"),
        "mql": _("MQL"),
        "sql": _("SQL"),
        "opportunity": _("Opportunity"),
        "customer": _("Customer"),
    }


def _columns() -> list[Column]:
    return [
        Column("stage", _("Stage"), Unit.TEXT),
        Column(
            "reached",
            _("Reached"),
            formula=_("leads of the cohort that reached it or a later one"),
            opens=True,
        ),
        Column(
            "from_previous", _("Of the previous"), Unit.RATE, _("reached ÷ reached of the previous stage")
        ),
        Column("from_lead", _("Of all leads"), Unit.RATE, _("reached ÷ leads of the cohort")),
        Column("stuck", _("Left before"), formula=_("reached the previous stage but not this one")),
        Column(
            "median_days", _("Median days"), Unit.DAYS, _("median days since the previous recorded stage")
        ),
    ]


def _laps(params: Params) -> Table:
    """How far each lap came, and how often it ended with a customer."""
    cells = {
        f"{lap}_{step}": Count("pk", filter=which & reached(step))
        for lap, which in _LAPS.items()
        for step in _LATER
    }
    counts = sources.cohort(params).aggregate(**cells)
    names = {"lap1": _("First lap"), "lap2": _("Second lap"), "lap3": _("Third lap and later")}
    rows = []
    for lap in _LAPS:
        steps = {step: counts[f"{lap}_{step}"] for step in _LATER}
        if steps["lead"]:
            won = Rate(steps["customer"], steps["lead"])
            rows.append(Row(lap, {"lap": names[lap], **steps, "lap_rate": won}))
    columns = [Column(step, label, opens=True) for step, label in _labels().items()]
    columns[0] = Column(
        "lead", _("Leads"), formula=_("laps of this number captured in the period"), opens=True
    )
    rate = Column("lap_rate", _("Lead to customer"), Unit.RATE, _("customers ÷ leads of this lap"))
    return Table("laps", _("By lap"), [Column("lap", _("Lap"), Unit.TEXT), *columns, rate], rows)


def _notes(params: Params, total: int) -> list[str]:
    if not total:
        return []
    still_open = sources.cohort(params).filter(won_at=None, lost_at=None).count()
    return [
        _("%(open)s of %(leads)s leads are still open; a young cohort looks worse than it is.")
        % {"open": still_open, "leads": total}
    ]


def _median_days(params: Params) -> dict[str, float]:
    """Median days from the latest earlier recorded instant to each step, over leads that reached it."""
    steps = list(_INSTANT)
    parts = []
    for index, step in enumerate(steps[1:], start=1):
        earlier = ", ".join(_INSTANT[s] for s in reversed(steps[:index]))
        parts.append(
            f"percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM {_INSTANT[step]} - "
            f"coalesce({earlier}))::float8) FILTER (WHERE {_INSTANT[step]} IS NOT NULL)"
        )
    inner, arguments = sources.cohort(params).values(*_INSTANT.values()).query.sql_with_params()
    # Column names come from the constants above; every value of the caller is a bound parameter.
    statement = f"SELECT {', '.join(parts)} FROM ({inner}) AS cohort"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        row: Any = cursor.fetchone()
    return {
        step: round(seconds / 86_400, 2)
        for step, seconds in zip(steps[1:], row, strict=True)
        if seconds is not None
    }
