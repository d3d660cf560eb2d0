"""Returns: why sales gave leads back, which of it marketing contested, and how it was ruled (N5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.utils.translation import gettext as _

from funnel.domain.appeals import entropy, is_unclear
from funnel.models import Handoff, HandoffState, ReturnReason
from funnel.selectors.returns import RETURNED
from reporting.domain.results import Column, Figure, Rate, Result, Row, Table, Unit, Value
from reporting.reports import supply
from reporting.reports.parameters import Params

KEY = "returns"
GROUPINGS: tuple[str, ...] = ()
CELLS: dict[str, Q] = {
    "delivered": Q(),
    "returned": RETURNED,
    "appealed": Q(appeal__isnull=False),
    "upheld": Q(state=HandoffState.UPHELD),
    "overturned": Q(state=HandoffState.OVERTURNED),
}
_FIGURES = ("returned", "return_rate", "appealed", "overturn_rate", "entropy")


def title() -> str:
    """The report's name."""
    return _("Returns and appeals")


def description() -> str:
    """What the report answers."""
    return _("Why sales gave leads back, what marketing contested, and how it was ruled.")


def behind(params: Params, *, row: str, cell: str, now: datetime) -> QuerySet[Handoff]:
    """The handoffs counted in one cell; ``row`` is "reason:no_fit", "owner:3" or "all"."""
    handoffs = supply.delivered(params).filter(CELLS[cell])
    if row == supply.ALL:
        return handoffs
    name, _sep, key = row.partition(":")
    return handoffs.filter(return_reason=key) if name == "reason" else handoffs.filter(owner_id=int(key))


def run(params: Params, *, now: datetime) -> Result:
    """One pass for the totals and one per grouping."""
    delivered = supply.delivered(params)
    totals = delivered.aggregate(**_measures())
    by_reason: Sequence[Mapping[str, Any]] = list(
        delivered.filter(RETURNED)
        .values(group_key=F("return_reason"))
        .annotate(**_measures())
        .order_by(F("returned").desc(), "group_key")
    )
    by_owner: Sequence[Mapping[str, Any]] = list(
        delivered.values(group_key=F("owner_id"), label=F("owner__name"))
        .annotate(**_measures())
        .order_by(F("returned").desc(), "label")
    )
    values = _values(_("All"), totals) | {"entropy": round(entropy(r["returned"] for r in by_reason), 2)}
    return Result(
        report=KEY,
        title=title(),
        params=params.given,
        figures=[Figure(c, values[c.key]) for c in (*_columns(""), _entropy()) if c.key in _FIGURES],
        tables=[_reasons(by_reason), _owners(by_owner)],
        as_of=now,
        why_empty=None if totals["delivered"] else supply.why_empty(),
    )


def _measures() -> dict[str, Count]:
    return {cell: Count("pk", filter=condition) for cell, condition in CELLS.items()}


def _values(label: str, line: Mapping[str, Any]) -> dict[str, Value]:
    return {
        "label": label,
        **{cell: line[cell] for cell in CELLS},
        "return_rate": Rate(line["returned"], line["delivered"]),
        "overturn_rate": Rate(line["overturned"], line["overturned"] + line["upheld"]),
    }


def _reasons(lines: Sequence[Mapping[str, Any]]) -> Table:
    labels = dict(ReturnReason.choices)
    total = sum(line["returned"] for line in lines)
    columns = [c for c in _columns(_("Reason")) if c.key not in ("delivered", "return_rate")]
    share = Column("share", _("Share of the returns"), Unit.RATE, _("returned for this reason ÷ returned"))
    meaning = Column("meaning", _("Meaning"), Unit.TEXT, _("unclear: over half of 20 rulings overturned"))
    rows = []
    for line in lines:
        ruled = line["overturned"] + line["upheld"]
        unclear = is_unclear(overturned=line["overturned"], ruled=ruled)
        values = _values(str(labels.get(line["group_key"], line["group_key"])), line)
        values |= {
            "share": Rate(line["returned"], total),
            "meaning": _("Definition unclear") if unclear else "",
        }
        rows.append(Row(f"reason:{line['group_key']}", values))
    return Table("by_reason", _("By reason"), [*columns[:2], share, *columns[2:], meaning], rows)


def _owners(lines: Sequence[Mapping[str, Any]]) -> Table:
    rows = [Row(f"owner:{line['group_key']}", _values(line["label"] or "", line)) for line in lines]
    return Table("by_owner", _("By rep"), _columns(_("Rep")), rows)


def _columns(head: str) -> list[Column]:
    return [
        Column("label", head, Unit.TEXT),
        Column("delivered", _("Delivered, gross"), formula=_("handoffs that passed the gate"), opens=True),
        Column("returned", _("Returned"), formula=_("given back with a reason"), opens=True),
        Column("return_rate", _("Return rate"), Unit.RATE, _("returned ÷ delivered")),
        Column("appealed", _("Contested"), formula=_("marketing appealed"), opens=True),
        Column("upheld", _("Upheld"), formula=_("the return stands"), opens=True),
        Column("overturned", _("Overturned"), formula=_("the return was wrong"), opens=True),
        Column("overturn_rate", _("Overturn rate"), Unit.RATE, _("overturned ÷ (overturned + upheld)")),
    ]


def _entropy() -> Column:
    return Column(
        "entropy",
        _("Spread of the reasons"),
        formula=_("entropy in bits: 0, one reason for all; 3, eight equally common"),
    )
