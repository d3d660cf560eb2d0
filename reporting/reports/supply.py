"""Supply: the handoffs delivered in the period and what became of them.

*Delivered gross* is every handoff that passed the gate. *Net* takes off the returns that reject the
lead and were not overturned; "not ready to buy yet" is no rejection and is not taken off.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from funnel.models import Handoff, HandoffState, ReturnReason
from funnel.selectors.returns import REJECTED, RETURNED
from reporting.domain.results import Column, Figure, Rate, Result, Row, Table, Unit, Value
from reporting.reports.parameters import Params

KEY = "supply"
GROUPINGS: tuple[str, ...] = ()
BLANK = "(blank)"
ALL = "all"

CELLS: dict[str, Q] = {
    "delivered": Q(),
    "waiting": Q(state=HandoffState.DELIVERED),
    "accepted": Q(state=HandoffState.ACCEPTED),
    "returned": RETURNED,
    "rejected": REJECTED,
    "expired": Q(state=HandoffState.EXPIRED),
    "customers": Q(lead__journey__won_at__isnull=False),
}
_GROUPS = {
    "campaign": ("lead__campaign_id", "lead__campaign__name"),
    "owner": ("owner_id", "owner__name"),
    "reason": ("return_reason", "return_reason"),
}
_TITLES = {
    "campaign": gettext_lazy("By campaign"),
    "owner": gettext_lazy("By owner"),
    "reason": gettext_lazy("Returned, by reason"),
}
_HEADS = {
    "campaign": gettext_lazy("Campaign"),
    "owner": gettext_lazy("Owner"),
    "reason": gettext_lazy("Reason"),
}


# The figures above the tables: no volume without its quality (R8).
_FIGURES = ("delivered", "net", "waiting", "accept_rate", "return_rate", "expired_rate", "customer_rate")


def title() -> str:
    """The report's name."""
    return _("Supply: leads delivered to sales")


def description() -> str:
    """What the report answers."""
    return _("Handoffs delivered in the period, gross and net, and what sales made of them.")


def delivered(params: Params) -> QuerySet[Handoff]:
    """The handoffs delivered in the period."""
    handoffs = Handoff.objects.filter(delivered_at__isnull=False)
    if params.source_id is not None:
        handoffs = handoffs.filter(lead__source_id=params.source_id)
    if params.period.start is not None:
        handoffs = handoffs.filter(delivered_at__gte=params.period.start)
    if params.period.end is not None:
        handoffs = handoffs.filter(delivered_at__lt=params.period.end)
    return handoffs


def behind(params: Params, *, row: str, cell: str, now: datetime) -> QuerySet[Handoff]:
    """The handoffs counted in one cell; ``row`` is "campaign:3", "reason:no_fit" or "all"."""
    handoffs = delivered(params)
    handoffs = handoffs.exclude(REJECTED) if cell == "net" else handoffs.filter(CELLS[cell])
    if row == ALL:
        return handoffs
    name, _sep, key = row.partition(":")
    column = _GROUPS[name][0]
    if name == "reason":
        return handoffs.filter(return_reason=key)
    return handoffs.filter(**{f"{column}__isnull": True} if key == BLANK else {column: int(key)})


def run(params: Params, *, now: datetime) -> Result:
    """One pass for the totals and one per grouping."""
    measures = _measures()
    columns, values = line(params, label=_("All"))
    return Result(
        report=KEY,
        title=title(),
        params=params.given,
        figures=[Figure(c, values[c.key]) for c in columns if c.key in _FIGURES],
        tables=[_table(params, "campaign", measures), _table(params, "owner", measures), _reasons(params)],
        as_of=now,
        why_empty=None if values["delivered"] else why_empty(),
    )


def line(params: Params, *, label: str) -> tuple[list[Column], dict[str, Value]]:
    """The columns of the report and their values over everything delivered in the period."""
    return _columns(_("Side")), _values(label, delivered(params).aggregate(**_measures()))


def _measures() -> dict[str, Count]:
    return {cell: Count("pk", filter=condition) for cell, condition in CELLS.items()}


def _table(params: Params, name: str, measures: Mapping[str, Count]) -> Table:
    column, label = _GROUPS[name]
    lines = (
        delivered(params)
        .values(group_key=F(column), group_label=F(label))
        .annotate(**measures)
        .order_by(F("delivered").desc(), "group_label")
    )
    rows = [
        Row(f"{name}:{BLANK if line['group_key'] is None else line['group_key']}", _values(_name(line), line))
        for line in lines
    ]
    return Table(f"by_{name}", str(_TITLES[name]), _columns(str(_HEADS[name])), rows)


def _name(line: Mapping[str, Any]) -> str:
    return BLANK if line["group_key"] is None else str(line["group_label"])


def _values(label: str, line: Mapping[str, Any]) -> dict[str, Value]:
    gross = line["delivered"]
    answered = line["accepted"] + line["returned"]
    return {
        "label": label,
        **{cell: line[cell] for cell in CELLS},
        "net": gross - line["rejected"],
        "accept_rate": Rate(line["accepted"], answered),
        "return_rate": Rate(line["returned"], gross),
        "expired_rate": Rate(line["expired"], gross),
        "customer_rate": Rate(line["customers"], gross),
    }


def _reasons(params: Params) -> Table:
    total = delivered(params).filter(RETURNED).count()
    labels = dict(ReturnReason.choices)
    lines = (
        delivered(params)
        .filter(RETURNED)
        .values("return_reason")
        .annotate(returned=Count("pk"))
        .order_by("-returned", "return_reason")
    )
    rows = [
        Row(
            f"reason:{line['return_reason']}",
            {
                "label": str(labels.get(line["return_reason"], line["return_reason"])),
                "returned": line["returned"],
                "share": Rate(line["returned"], total),
            },
        )
        for line in lines
    ]
    columns = [
        Column("label", str(_HEADS["reason"]), Unit.TEXT),
        Column("returned", _("Returned"), opens=True),
        Column("share", _("Share of the returns"), Unit.RATE, _("returned for this reason ÷ returned")),
    ]
    return Table("by_reason", str(_TITLES["reason"]), columns, rows)


def _columns(head: str) -> list[Column]:
    return [
        Column("label", head, Unit.TEXT),
        Column("delivered", _("Delivered, gross"), formula=_("handoffs that passed the gate"), opens=True),
        Column("net", _("Net"), formula=_("gross − returns that reject the lead"), opens=True),
        Column("waiting", _("Waiting for an answer"), formula=_("neither accepted nor returned"), opens=True),
        Column("accepted", _("Accepted"), formula=_("accepted by sales"), opens=True),
        Column("accept_rate", _("Accept rate"), Unit.RATE, _("accepted ÷ (accepted + returned)")),
        Column("returned", _("Returned"), formula=_("given back with a reason"), opens=True),
        Column("return_rate", _("Return rate"), Unit.RATE, _("returned ÷ delivered")),
        Column("expired", _("Expired"), formula=_("nobody answered in time"), opens=True),
        Column("expired_rate", _("Expired rate"), Unit.RATE, _("expired ÷ delivered")),
        Column("customers", _("Customers"), formula=_("their lead has won an opportunity"), opens=True),
        Column("customer_rate", _("Delivered to customer"), Unit.RATE, _("customers ÷ delivered")),
    ]


def why_empty() -> str:
    """What is missing when nothing was delivered."""
    if not Handoff.objects.filter(delivered_at__isnull=False).exists():
        return _("Nothing was delivered to sales yet. A lead is delivered when it meets the definition.")
    return _("Nothing was delivered in this period. Choose a longer one.")
