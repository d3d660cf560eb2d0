"""Wins and losses: win rate, revenue and cycle of the opportunities closed in the period.

A snapshot report (``semantics`` 4.4): won ÷ (won + lost) among the deals closed in the period. The
cycle is closing minus opening in days, over the closed deals that have both dates.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Aggregate, Avg, Count, DurationField, ExpressionWrapper, F, Q, QuerySet, Sum
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import ExtractQuarter, ExtractYear
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from funnel.models import Opportunity
from reporting.domain.results import Column, Figure, MoneyList, Rate, Result, Row, Table, Unit, Value
from reporting.reports.parameters import Params

KEY = "wins"
GROUPINGS: tuple[str, ...] = ()
BLANK = "(blank)"
ALL = "all"

WON = Q(stage__kind="won")
LOST = Q(stage__kind="lost")
OPEN = Q(stage__kind="open")
TABLES = ("owner", "product", "company", "quarter")

_TITLES = {
    "owner": gettext_lazy("By owner"),
    "product": gettext_lazy("By product"),
    "company": gettext_lazy("By company"),
    "quarter": gettext_lazy("By quarter of closing"),
}
_HEADS = {
    "owner": gettext_lazy("Owner"),
    "product": gettext_lazy("Product"),
    "company": gettext_lazy("Company"),
    "quarter": gettext_lazy("Quarter"),
}

Acc = dict[str, Any]


class Median(Aggregate):
    """The continuous median; of durations, a duration."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


def title() -> str:
    """The report's name."""
    return _("Wins and losses")


def description() -> str:
    """What the report answers."""
    return _(
        "Opportunities won and lost, win rate, revenue and cycle by owner, product, company and quarter."
    )


def closed(params: Params) -> QuerySet[Opportunity]:
    """The opportunities closed in the period."""
    deals = _of_source(params).filter(WON | LOST)
    if params.period.start is not None:
        deals = deals.filter(closed_at__gte=params.period.start)
    if params.period.end is not None:
        deals = deals.filter(closed_at__lt=params.period.end)
    return deals


def behind(params: Params, *, row: str, cell: str, now: datetime) -> QuerySet[Opportunity]:
    """The opportunities counted in one cell; ``row`` is "owner:12", "quarter:2017-Q1" or "all"."""
    deals = closed(params).filter({"won": WON, "lost": LOST, "closed": Q()}[cell])
    if row == ALL:
        return deals
    table, _sep, key = row.partition(":")
    return deals.annotate(group_key=_group(table, params)).filter(
        Q(group_key__isnull=True) if key == BLANK else Q(group_key=key)
    )


def run(params: Params, *, now: datetime) -> Result:
    """One grouped pass per table and one for the totals."""
    total = _totals(params)
    open_now = _of_source(params).filter(OPEN).count()
    tables = [_table(params, name) for name in TABLES]
    values = _values(_("All"), total)
    figures = [Figure(column, values[column.key]) for column in _columns(_("All"))[1:]]
    figures.append(Figure(Column("open", _("Open"), formula=_("opportunities open today")), open_now))
    return Result(
        report=KEY,
        title=title(),
        params=params.given,
        figures=figures,
        tables=tables,
        as_of=now,
        notes=_notes(total),
        why_empty=None if total["won"] + total["lost"] else _why_empty(params),
    )


def _of_source(params: Params) -> QuerySet[Opportunity]:
    deals = Opportunity.objects.all()
    return deals if params.source_id is None else deals.filter(source_id=params.source_id)


def _group(table: str, params: Params) -> CombinedExpression | F:
    """What a table groups by; a quarter is a number such as 20171, told in the report's zone."""
    if table == "quarter":
        zone = params.zone
        return ExtractYear("closed_at", tzinfo=zone) * 10 + ExtractQuarter("closed_at", tzinfo=zone)
    return F({"owner": "owner_id", "product": "product_id", "company": "company_id"}[table])


def _measures() -> dict[str, Any]:
    cycle = ExpressionWrapper(F("closed_at") - F("opened_at"), output_field=DurationField())
    dated = Q(opened_at__isnull=False)
    return {
        "won": Count("pk", filter=WON),
        "lost": Count("pk", filter=LOST),
        "dated": Count("pk", filter=dated),
        "mean_cycle": Avg(cycle, filter=dated),
        "median_cycle": Median(cycle, filter=dated),
    }


def _totals(params: Params) -> Acc:
    total: Acc = closed(params).aggregate(**_measures())
    sums = closed(params).filter(WON, amount__isnull=False).values("currency").annotate(total=Sum("amount"))
    total["revenue"] = MoneyList.of({line["currency"]: line["total"] for line in sums.order_by()})
    return total


def _table(params: Params, name: str) -> Table:
    group = _group(name, params)
    label = {"owner": "owner__name", "product": "product__name", "company": "company__name"}.get(name)
    lines = closed(params).values(group_key=group, group_label=F(label) if label else group)
    money: dict[Any, dict[str, Decimal]] = defaultdict(dict)
    for sums in (
        closed(params)
        .filter(WON, amount__isnull=False)
        .values("currency", group_key=group)
        .annotate(total=Sum("amount"))
        .order_by()
    ):
        money[sums["group_key"]][sums["currency"]] = sums["total"]
    rows = []
    line: Any
    for line in lines.annotate(**_measures()).order_by(
        *(["group_key"] if not label else ["-won", "group_label"])
    ):
        key = line["group_key"]
        line["revenue"] = MoneyList.of(money[key])
        rows.append(Row(f"{name}:{BLANK if key is None else key}", _values(_label(name, line), line)))
    return Table(f"by_{name}", str(_TITLES[name]), _columns(str(_HEADS[name])), rows)


def _label(name: str, line: Acc) -> str:
    if line["group_key"] is None:
        return BLANK
    if name == "quarter":
        return f"{line['group_key'] // 10} Q{line['group_key'] % 10}"
    return str(line["group_label"])


def _values(label: str, line: Acc) -> dict[str, Value]:
    return {
        "label": label,
        "won": line["won"],
        "lost": line["lost"],
        "win_rate": Rate(line["won"], line["won"] + line["lost"]),
        "revenue": line["revenue"],
        "mean_cycle_days": _days(line["mean_cycle"]),
        "median_cycle_days": _days(line["median_cycle"]),
    }


def _days(cycle: timedelta | None) -> float | None:
    return None if cycle is None else round(cycle / timedelta(days=1), 3)


def _columns(head: str) -> list[Column]:
    return [
        Column("label", head, Unit.TEXT),
        Column("won", _("Won"), formula=_("opportunities won in the period"), opens=True),
        Column("lost", _("Lost"), formula=_("opportunities lost in the period"), opens=True),
        Column("win_rate", _("Win rate"), Unit.RATE, _("won ÷ (won + lost), closed in the period")),
        Column("revenue", _("Revenue"), Unit.MONEY, _("sum of the amounts won")),
        Column(
            "mean_cycle_days", _("Mean cycle (days)"), Unit.DAYS, _("mean of closed − opened, won and lost")
        ),
        Column("median_cycle_days", _("Median cycle (days)"), Unit.DAYS, _("median of closed − opened")),
    ]


def _notes(total: Acc) -> list[str]:
    undated = total["won"] + total["lost"] - total["dated"]
    if not undated:
        return []
    return [_("%(count)s closed opportunities have no opening date and no cycle.") % {"count": undated}]


def _why_empty(params: Params) -> str:
    deals = _of_source(params)
    if not Opportunity.objects.exists():
        return _("There are no opportunities yet. Open one from a lead, or import some.")
    if not deals.exists():
        return _("No opportunity came from this source.")
    if not deals.filter(WON | LOST).exists():
        return _("No opportunity has been won or lost yet.")
    return _("No opportunity was closed in this period. Choose a longer one.")
