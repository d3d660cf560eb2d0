"""Attempts: whom each further attempt reached, and after how many one more no longer pays (N10).

For the leads delivered in the period. The share of an attempt is reached ÷ tried among those that no
earlier attempt had reached. With the cost of an attempt and the margin of a deal it proposes the number
of the depth clause; the teams sign a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from funnel.domain.statistics import wilson
from funnel.models import Handoff
from reporting.domain.results import Column, Figure, MoneyList, Rate, Result, Row, Table, Unit, Value
from reporting.reports.parameters import Amount, Params
from sla.domain import metrics, stop_rule
from sla.domain.stop_rule import Because, Step
from sla.selectors import agreements, attempt_yields
from sla.selectors.attempt_yields import Worth
from smarketing.core.errors import Missing
from smarketing.users.selectors import organisation
from smarketing.web import formats

KEY = "attempts"
GROUPINGS: tuple[str, ...] = ()
AMOUNTS = (
    Amount("cost", gettext_lazy("Cost of an attempt"), Decimal("0.01"), Decimal(10_000)),
    Amount("margin", gettext_lazy("Margin of a deal (%)"), Decimal(1), Decimal(100), Decimal(100)),
)


def title() -> str:
    """The report's name."""
    return _("Attempts and when to stop")


def description() -> str:
    """What the report answers."""
    return _("Whom the first, second, third … attempt reached, and after how many one more no longer pays.")


def behind(params: Params, *, row: str, cell: str, now: datetime) -> QuerySet[Handoff]:
    """The handoffs of the period: the only number that opens."""
    if (row, cell) != ("all", "delivered"):
        raise Missing("This report has no such number.")
    return _delivered(params)


def run(params: Params, *, now: datetime) -> Result:
    """Two passes over the attempts after delivery: of the period, and of the year before for the worth."""
    steps = attempt_yields.steps(params.period, now=now, source_id=params.source_id)
    currency = organisation.current().currency
    worth = attempt_yields.worth(now=now, currency=currency, source_id=params.source_id)
    cost, margin = params.amounts.get("cost"), params.amounts["margin"]
    brings = None if worth.of_reached is None else worth.of_reached * float(margin) / 100
    return Result(
        report=KEY,
        title=title(),
        params=params.given,
        figures=_figures(params, steps, worth, currency),
        tables=[_table(steps, brings=brings, cost=cost, currency=currency)] if steps else [],
        as_of=now,
        notes=_notes(steps, worth, brings=brings, cost=cost),
        why_empty=None if steps else _("No lead delivered in this period was tried yet."),
    )


def _delivered(params: Params) -> QuerySet[Handoff]:
    found = Handoff.objects.filter(delivered_at__isnull=False)
    if params.period.start is not None:
        found = found.filter(delivered_at__gte=params.period.start)
    if params.period.end is not None:
        found = found.filter(delivered_at__lt=params.period.end)
    return found if params.source_id is None else found.filter(Q(lead__source_id=params.source_id))


def _figures(params: Params, steps: Sequence[Step], worth: Worth, currency: str) -> list[Figure]:
    tried = steps[0].tried + steps[0].pending if steps else 0
    average = worth.of_customer
    return [
        Figure(
            Column("delivered", _("Delivered"), formula=_("handoffs of the period"), opens=True),
            _delivered(params).count(),
        ),
        Figure(Column("tried", _("Tried"), formula=_("with a first attempt, not reached before")), tried),
        Figure(
            Column("reached", _("Reached"), Unit.RATE, _("reached at any attempt ÷ tried")),
            Rate(sum(step.reached for step in steps), tried),
        ),
        Figure(
            Column(
                "customers", _("Reached → customer"), Unit.RATE,
                _("of leads reached, delivered in the year up to 90 days ago"),
            ),
            Rate(worth.customers, worth.reached),
        ),
        Figure(
            Column("average", _("Average deal"), Unit.MONEY, _("of those customers")),
            None if average is None else MoneyList.of({currency: round(average, 2)}),
        ),
    ]  # fmt: skip


def _table(steps: Sequence[Step], *, brings: float | None, cost: Decimal | None, currency: str) -> Table:
    columns = [
        Column("attempt", _("Attempt"), Unit.TEXT),
        Column("tried", _("Tried"), formula=_("not reached before, and this attempt was made")),
        Column("reached", _("Reached"), Unit.RATE, _("reached at this attempt ÷ tried")),
        Column("interval", _("95 % interval"), Unit.TEXT, _("Wilson, of the share")),
        Column("pending", _("May still answer"), formula=_("last attempt, younger than five days")),
    ]
    if brings is not None and cost is not None:
        columns.append(
            Column("value", _("One attempt brings"), Unit.MONEY, _("share × worth of a reached lead − cost"))
        )
    rows = []
    for step in steps:
        values: dict[str, Value] = {
            "attempt": str(step.number),
            "tried": step.tried,
            "reached": Rate(step.reached, step.tried),
            "interval": _interval(step),
            "pending": step.pending,
        }
        if brings is not None and cost is not None and step.share is not None:
            brought = stop_rule.value(step.share, brings=brings, cost=float(cost))
            values["value"] = MoneyList.of({currency: round(Decimal(brought), 2)})
        rows.append(Row(str(step.number), values))
    return Table("by_attempt", _("By attempt"), columns, rows)


def _interval(step: Step) -> str:
    if not step.tried:
        return "–"
    low, high = wilson(step.reached, step.tried)
    return f"{formats.percent(low, 0)} – {formats.percent(high, 0)}"


def _notes(steps: Sequence[Step], worth: Worth, *, brings: float | None, cost: Decimal | None) -> list[str]:
    """The proposal in a sentence, or what is missing for one; and what is promised now."""
    told = _promised()
    if brings is None:
        return [
            *told,
            _("What a reached lead brings can't be told yet: no won deal of such a lead is known."),
        ]
    if cost is None:
        return [*told, _("Enter what an attempt costs to see after how many to stop.")]
    proposal = stop_rule.propose(steps, brings=brings, cost=float(cost))
    words = {"n": proposal.attempts, "least": stop_rule.LEAST_CASES, "next": (proposal.attempts or 0) + 1}
    texts = {
        Because.TURNS_NEGATIVE: _("Proposal: stop after %(n)s attempts. The next costs more than it brings."),
        Because.STILL_PAYS: _("Proposal: at least %(n)s attempts. Even the last one with enough cases pays."),
        Because.NEVER_PAYS: _("At this cost and margin not even the first attempt pays."),
        Because.TOO_FEW: _("No proposal: fewer than %(least)s leads got a first attempt that can be judged."),
    }
    if worth.customers < stop_rule.LEAST_CASES:
        told.append(
            _("The worth rests on few customers (%(n)s): take it as a hint.") % {"n": worth.customers}
        )
    return [texts[proposal.because] % words, *told]


def _promised() -> list[str]:
    text = agreements.in_force()
    depth = text.version.clauses.filter(metric=metrics.DEPTH).first() if text else None
    if depth is None:
        return []
    return [_("The agreement in force promises %(n)s attempts.") % {"n": int(depth.target)}]
