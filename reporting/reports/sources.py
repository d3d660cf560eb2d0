"""What became of our leads, by where they came from.

A cohort report: the leads captured in the period, whatever happened to them since. "(blank)" is an
origin that nobody filled in; "unknown" is one that was said to be unknown; they stay apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from funnel.models import Opportunity, OpportunityStageKind
from reporting.domain.results import Column, Figure, MoneyList, Rate, Result, Row, Table, Unit, Value
from reporting.models import Journey
from reporting.reports.parameters import Params

KEY = "sources"
GROUPINGS = ("origin", "channel", "campaign", "source")
BLANK = "(blank)"
ALL = "all"

_LABEL = {
    "origin": "origin",
    "channel": "channel__name",
    "campaign": "campaign__name",
    "source": "source__name",
}
_KEY = {"origin": "origin", "channel": "channel_id", "campaign": "campaign_id", "source": "source_id"}

# How each count is told from a journey; a cell that opens its leads uses the same condition.
REACHED: dict[str, Q] = {
    "leads": Q(),
    "mqls": Q(mql_at__isnull=False),
    "delivered": Q(delivered_at__isnull=False),
    "accepted": Q(accepted_at__isnull=False),
    "returned": Q(returned_at__isnull=False),
    "opportunities": Q(opportunity_at__isnull=False),
    "customers": Q(won_at__isnull=False),
    "lost": Q(lost_at__isnull=False),
}


# The figures above the table: no volume without its quality (R8).
_FIGURES = ("leads", "mql_rate", "accept_rate", "customers", "customer_rate", "revenue")


def title() -> str:
    """The report's name."""
    return _("Sources: what became of our leads")


def description() -> str:
    """What the report answers."""
    return _("Leads captured in the period and how far they came, by origin, channel, campaign or source.")


def cohort(params: Params) -> QuerySet[Journey]:
    """The journeys of the leads captured in the period."""
    journeys = Journey.objects.all()
    if params.source_id is not None:
        journeys = journeys.filter(source_id=params.source_id)
    if params.period.start is not None:
        journeys = journeys.filter(captured_at__gte=params.period.start)
    if params.period.end is not None:
        journeys = journeys.filter(captured_at__lt=params.period.end)
    return journeys


def behind(params: Params, *, row: str, cell: str, now: datetime) -> QuerySet[Journey]:
    """The journeys counted in one cell, so that every number opens its leads.

    Raises ``KeyError`` for a cell that the report does not have.
    """
    journeys = cohort(params).filter(REACHED[cell])
    if row == ALL:
        return journeys
    if params.by == "origin":
        return journeys.filter(origin="" if row == BLANK else row)
    column = _KEY[params.by]
    return journeys.filter(**{f"{column}__isnull": True} if row == BLANK else {column: int(row)})


def run(params: Params, *, now: datetime) -> Result:
    """Counts per group in one pass over the journeys, revenue in one over their won deals."""
    group, label = _KEY[params.by], _LABEL[params.by]
    counts = {cell: Count("pk", filter=condition) for cell, condition in REACHED.items()}
    lines: list[Any] = list(
        cohort(params)
        .values(group_key=F(group), group_label=F(label))
        .annotate(**counts)
        .order_by(F("leads").desc())
    )
    revenue = _revenue(params, group)
    rows = [_row(line, revenue) for line in lines]
    total_counts = {cell: sum(line[cell] for line in lines) for cell in REACHED}
    total_revenue = sum((revenue[line["group_key"]] for line in lines), MoneyList(()))
    total = Row(ALL, _values(_("All"), total_counts, total_revenue))
    columns = _columns(params.by)
    return Result(
        report=KEY,
        title=title(),
        params=params.given,
        figures=[Figure(c, total.values[c.key]) for c in columns if c.key in _FIGURES],
        tables=[
            Table(f"by_{params.by}", _("By %(grouping)s") % {"grouping": params.by}, columns, rows, total)
        ],
        as_of=now,
        notes=_notes(total_counts),
        why_empty=None if rows else _why_empty(params),
    )


def _revenue(params: Params, group: str) -> Mapping[Any, MoneyList]:
    sums: dict[Any, dict[str, Decimal]] = defaultdict(dict)
    deals = Opportunity.objects.filter(
        stage__kind=OpportunityStageKind.WON, lead__journey__in=cohort(params), amount__isnull=False
    )
    for line in (
        deals.values(group_key=F(f"lead__journey__{group}"), code=F("currency"))
        .annotate(total=Sum("amount"))
        .order_by()
    ):
        sums[line["group_key"]][line["code"]] = line["total"]
    return defaultdict(lambda: MoneyList(()), {key: MoneyList.of(parts) for key, parts in sums.items()})


def _row(line: Mapping[str, Any], revenue: Mapping[Any, MoneyList]) -> Row:
    blank = line["group_key"] in (None, "")
    key = BLANK if blank else str(line["group_key"])
    return Row(key, _values(BLANK if blank else line["group_label"], line, revenue[line["group_key"]]))


def _values(label: str, counts: Mapping[str, int], revenue: MoneyList) -> dict[str, Value]:
    leads = counts["leads"]
    ended = counts["customers"] + counts["lost"]
    return {
        "label": label,
        **{cell: counts[cell] for cell in REACHED},
        "mql_rate": Rate(counts["mqls"], leads),
        "accept_rate": Rate(counts["accepted"], counts["accepted"] + counts["returned"]),
        "customer_rate": Rate(counts["customers"], leads),
        "close_rate": Rate(counts["customers"], ended),
        "revenue": revenue,
    }


def _columns(by: str) -> list[Column]:
    return [
        Column("label", by.capitalize(), Unit.TEXT),
        Column("leads", _("Leads"), formula=_("leads captured in the period"), opens=True),
        Column("mqls", _("MQLs"), formula=_("of these leads, those that met the definition"), opens=True),
        Column("mql_rate", _("MQL rate"), Unit.RATE, _("MQLs ÷ leads")),
        Column("delivered", _("Delivered"), formula=_("handed to sales through the gate, gross"), opens=True),
        Column("accepted", _("Accepted"), formula=_("accepted by sales"), opens=True),
        Column("accept_rate", _("Accept rate"), Unit.RATE, _("accepted ÷ (accepted + returned)")),
        Column("returned", _("Returned"), formula=_("given back by sales"), opens=True),
        Column("opportunities", _("Opportunities"), formula=_("reached the stage opportunity"), opens=True),
        Column("customers", _("Customers"), formula=_("with a won opportunity"), opens=True),
        Column("customer_rate", _("Lead to customer"), Unit.RATE, _("customers ÷ leads of the cohort")),
        Column("lost", _("Lost"), formula=_("all opportunities lost"), opens=True),
        Column("close_rate", _("Close rate"), Unit.RATE, _("customers ÷ (customers + lost)")),
        Column("revenue", _("Revenue"), Unit.MONEY, _("sum of won opportunities of these leads")),
    ]


def _notes(counts: Mapping[str, int]) -> list[str]:
    still_open = counts["leads"] - counts["customers"] - counts["lost"]
    if not counts["leads"]:
        return []
    return [
        _("%(open)s of %(leads)s leads have neither won nor lost yet; their rates can still change.")
        % {"open": still_open, "leads": counts["leads"]}
    ]


def _why_empty(params: Params) -> str:
    if not Journey.objects.exists():
        return _("There are no leads yet. Import some, or connect a form.")
    if params.source_id is not None and not Journey.objects.filter(source_id=params.source_id).exists():
        return _("No lead came from this source.")
    return _("No lead was captured in this period. Choose a longer one.")
