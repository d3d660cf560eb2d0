"""Fairness: what everybody was given through the rings, in number and in quality, and why it differs.

Managers read every line. A rep reads their own beside the figures of the pool; everybody else only those.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from funnel.domain import fairness as rules
from funnel.models import Handoff
from funnel.selectors import expected_value
from funnel.selectors import fairness as reads
from funnel.selectors.decisions import sees_all
from funnel.selectors.fairness import PoolStanding, Standing
from reporting.domain.results import Column, Figure, Money, MoneyList, Result, Row, Table, Unit, Value
from reporting.reports.parameters import Params
from smarketing.core.periods import Period
from smarketing.users.selectors import organisation

KEY = "fairness"
GROUPINGS: tuple[str, ...] = ()
ALL = "all"
DAYS = timedelta(days=30)
YEAR = timedelta(days=365)
_LABELS: dict[str, str | Promise] = {
    "away": gettext_lazy("Away"),
    "hours": gettext_lazy("Outside hours"),
    "limits": gettext_lazy("Own limits reached"),
    "ceiling": gettext_lazy("Agreed ceiling reached"),
    "skills": gettext_lazy("Skill missing"),
    "lead": gettext_lazy("Returned before"),
    "gained": gettext_lazy("Others could not"),
    "accounts": gettext_lazy("Works with the company"),
    "order": gettext_lazy("Order of the ring"),
}


def title() -> str:
    """The report's name."""
    return _("Fairness: who was given which leads")


def description() -> str:
    """What the report answers."""
    return _("Leads by rep in number and in quality, against their fair share, with the reasons.")


def behind(params: Params, *, row: str, cell: str, now: datetime) -> QuerySet[Handoff]:
    """The handoffs of one line; ``row`` is "<pool>:<owner>", or "<pool>:all"."""
    pool, _sep, owner = row.partition(":")
    if cell not in ("given", "credited"):
        raise KeyError(cell)
    made = reads.made(_period(params, now), source_id=params.source_id).filter(pool=int(pool))
    if owner != ALL:
        made = made.filter(owner=int(owner))
    if cell == "credited":
        made = made.filter(credited_at__isnull=False)
    return Handoff.objects.filter(pk__in=made.values("handoff"))


def run(params: Params, *, now: datetime) -> Result:
    """Two tables for each pool: what everybody got, and where the difference comes from."""
    period = _period(params, now)
    pools = reads.standings(period, source_id=params.source_id)
    worth = _worth(period, now)
    figures, summary = _summary(pools)
    tables = [*summary, *(table for pool in pools for table in _tables(pool, worth, params))]
    return Result(
        report=KEY,
        title=title(),
        params=params.given,
        figures=figures,
        tables=tables,
        as_of=now,
        notes=_notes(params, pools, worth, period),
        why_empty=None if pools else _("No pool gave a lead away in this period. Choose a longer one."),
    )


def _period(params: Params, now: datetime) -> Period:
    """The days that were asked for, open ends closed; without any the last 30 days."""
    asked = params.period
    end = asked.end or now + timedelta(microseconds=1)
    return Period(asked.start or end - (DAYS if asked.end is None else YEAR), end)


def _worth(period: Period, now: datetime) -> Decimal | None:
    end = min(period.end or now, now)
    return expected_value.worth_of_a_customer(Period(end - YEAR, end), organisation.current().currency)


def _of_pool(pool: PoolStanding) -> dict[str, Value]:
    """Both indices and the mix of one pool."""
    due = [owner for owner in pool.owners if owner.due > 0]
    mix = rules.homogeneous([owner.bands for owner in pool.owners])
    values = rules.jain([owner.likelihood / owner.due for owner in due]) if pool.is_valued else None
    return {
        "label": pool.pool.name,
        "given": pool.given,
        "jain_count": rules.jain([owner.given / owner.due for owner in due]),
        "jain_value": values,
        "mix_p": mix.p if mix else None,
    }


def _pool_columns() -> list[Column]:
    return [
        Column("label", _("Pool"), Unit.TEXT),
        Column("given", _("Leads given")),
        _column("jain_count", _("Jain's index, number"), _("1 is alike, by fair share")),
        _column("jain_value", _("Jain's index, value"), _("by likelihood when given")),
        _column("mix_p", _("Mix of bands, p"), _mix()),
    ]


def _summary(pools: Sequence[PoolStanding]) -> tuple[list[Figure], list[Table]]:
    """Of one pool its figures, of several a table of them."""
    heads, told = _pool_columns(), [_of_pool(pool) for pool in pools]
    if len(pools) == 1:
        return [Figure(column, told[0][column.key]) for column in heads[1:]], []
    rows = [Row(f"pool:{pool.pool.pk}", line) for pool, line in zip(pools, told, strict=True)]
    return [], [Table("pools", _("Pools"), heads, rows)] if rows else []


def _tables(pool: PoolStanding, worth: Decimal | None, params: Params) -> list[Table]:
    shown = _shown(pool.owners, params)
    values = [(owner, _values(owner, pool, worth)) for owner in shown]
    rows = [Row(f"{pool.pool.pk}:{owner.owner_id}", line) for owner, line in values]
    total = Row(f"{pool.pool.pk}:{ALL}", _total(pool, worth))
    steps = [step for step in reads.STEPS if any(abs(owner.steps[step]) >= 0.0005 for owner in shown)]
    reasons = [
        Row(
            f"{pool.pool.pk}:{owner.owner_id}",
            {
                "label": owner.name,
                "difference": round(owner.given - owner.due, 3),
                **{step: round(owner.steps[step], 3) for step in steps},
            },
        )
        for owner in shown
    ]
    heads = [
        Column("label", _("Owner"), Unit.TEXT),
        _parts("difference", _("Difference"), _("given − fair share")),
        *(_parts(step, str(_LABELS[step])) for step in steps),
    ]
    key = f"pool_{pool.pool.pk}"
    tables = [Table(key, pool.pool.name, _columns(worth), rows, total)]
    if reasons:
        words = _("%(pool)s: where the difference comes from") % {"pool": pool.pool.name}
        tables.append(Table(f"{key}_reasons", words, heads, reasons))
    return tables


def _shown(owners: Sequence[Standing], params: Params) -> list[Standing]:
    viewer = params.viewer
    return [o for o in owners if viewer is None or sees_all(viewer) or o.owner_id == viewer.pk]


def _values(owner: Standing, pool: PoolStanding, worth: Decimal | None) -> dict[str, Value]:
    mix = rules.against_the_rest(owner.bands, pool.bands)
    customers = owner.likelihood if pool.is_valued else None
    return {
        "label": owner.name,
        "given": owner.given,
        "due": round(owner.due, 3),
        "difference": round(owner.given - owner.due, 3),
        "value": _money(customers, worth),
        "customers": None if customers is None else round(customers, 3),
        "credited": owner.credited,
        "mix_p": None if mix is None else round(mix.p, 4),
        "rough": None if mix is None else _("few leads: p is rough") if mix.is_rough else "",
    }


def _total(pool: PoolStanding, worth: Decimal | None) -> dict[str, Value]:
    mix = rules.homogeneous([owner.bands for owner in pool.owners])
    customers = sum(owner.likelihood for owner in pool.owners) if pool.is_valued else None
    return {
        "label": _("All"),
        "given": pool.given,
        "due": round(sum(owner.due for owner in pool.owners), 3),
        "value": _money(customers, worth),
        "customers": None if customers is None else round(customers, 3),
        "credited": sum(owner.credited for owner in pool.owners),
        "mix_p": None if mix is None else round(mix.p, 4),
    }


def _columns(worth: Decimal | None) -> list[Column]:
    share = _("Σ over the leads of own weight ÷ weights of all candidates")
    value = _("Σ likelihood when given × average deal won in the year before")
    return [
        Column("label", _("Owner"), Unit.TEXT),
        Column("given", _("Given"), formula=_("leads given by the pool's rings"), opens=True),
        _parts("due", _("Fair share"), share),
        _parts("difference", _("Difference"), _("given − fair share")),
        *([Column("value", _("Expected value"), Unit.MONEY, value)] if worth is not None else []),
        _parts("customers", _("Expected customers"), _("Σ likelihood when given")),
        Column("credited", _("Turns given back"), formula=_("for returns that stand"), opens=True),
        _column("mix_p", _("Mix of bands, p"), _mix()),
        Column("rough", _("Sample"), Unit.TEXT),
    ]


def _mix() -> str:
    return _("χ² against all others: the chance of such a mix if bands fall alike to all")


def _column(key: str, label: str, formula: str = "") -> Column:
    return Column(key, label, Unit.FINE, formula)


def _parts(key: str, label: str, formula: str = "") -> Column:
    return Column(key, label, Unit.PARTS, formula)


def _money(likelihood: float | None, worth: Decimal | None) -> MoneyList | None:
    if worth is None or likelihood is None:
        return None
    amount = (Decimal(str(likelihood)) * worth).quantize(Decimal("0.01"))
    return MoneyList((Money(amount, organisation.current().currency),))


def _notes(params: Params, pools: Sequence[PoolStanding], worth: Decimal | None, period: Period) -> list[str]:
    notes = []
    if params.first is None and params.last is None:
        notes.append(_("No days were given: these are the last 30."))
    if params.viewer is not None and not sees_all(params.viewer):
        notes.append(_("You read your own line; managers read all."))
    unknown = sum(pool.unknown for pool in pools)
    if unknown:
        words = _("%(n)s leads had no likelihood when they were given and count 0 in the expected value.")
        notes.append(words % {"n": unknown})
    if worth is None and pools:
        notes.append(_("No deal was won in the year before: the expected value stays in customers."))
    aside = reads.outside_the_rings(period, source_id=params.source_id)
    if aside:
        words = _("%(n)s more leads were given by hand, or were theirs already; no ring was asked.")
        notes.append(words % {"n": aside})
    return notes
