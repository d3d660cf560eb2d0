"""What a lead may bring: its likelihood times what a customer like it is worth.

That is the one definition of expected value. Likelihood is the answer of the model in use. What a customer
is worth is the average amount of the deals in our currency that were won in the year before, by leads of
the same band of fit; where that band has won fewer than ten, by all leads. A lead without an answer of the
model, and an organisation that has won nothing yet, have no expected value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from django.db.models import Avg, Count, QuerySet, Sum

from funnel.models import Opportunity, OpportunityStageKind
from smarketing.core.periods import Period

YEAR = timedelta(days=365)
LEAST = 10
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Worth:
    """The average won deal of the year before: of all leads, and of those bands of fit that won enough."""

    currency: str
    of_all: Decimal
    of_band: Mapping[str, Decimal]

    def of(self, fit_band: str) -> Decimal:
        """What a customer from this band of fit is worth."""
        return self.of_band.get(fit_band, self.of_all)


@dataclass(frozen=True, slots=True)
class Expected:
    """An expected value and what it is made of; ``fit_band`` is empty where all won deals were averaged."""

    value: Decimal
    likelihood: float
    worth: Decimal
    currency: str
    fit_band: str


def expected(likelihood: float | None, fit_band: str, worth: Worth | None) -> Expected | None:
    """The expected value of a lead; None where its likelihood or the worth of a customer is unknown."""
    if likelihood is None or worth is None:
        return None
    one = worth.of(fit_band)
    value = (Decimal(str(likelihood)) * one).quantize(_CENT)
    return Expected(value, likelihood, one, worth.currency, fit_band if fit_band in worth.of_band else "")


@lru_cache(maxsize=4)
def worth_in(hour: datetime, *, currency: str) -> Worth | None:
    """What a customer is worth, as known in this ``hour``: lists ask for it with every look.

    None where no deal was won in the year before.
    """
    won = _won(Period(hour - YEAR, hour), currency)
    rows = won.values_list("lead__score__fit_band").annotate(n=Count("pk"), sum=Sum("amount")).order_by()
    told = [(band or "", count, total) for band, count, total in rows]
    deals = sum(count for _band, count, _total in told)
    if not deals:
        return None
    of_all: Decimal = sum((total for _band, _count, total in told), Decimal(0)) / deals
    of_band = {band: total / count for band, count, total in told if band and count >= LEAST}
    return Worth(currency, of_all, of_band)


def worth_of_a_customer(before: Period, currency: str) -> Decimal | None:
    """The average won deal of a period in our currency, whatever its lead was like; None without any."""
    average: Decimal | None = _won(before, currency).aggregate(average=Avg("amount"))["average"]
    return average


def _won(period: Period, currency: str) -> QuerySet[Opportunity]:
    deals = Opportunity.objects.filter(
        stage__kind=OpportunityStageKind.WON, currency=currency, amount__isnull=False
    )
    if period.start is not None:
        deals = deals.filter(closed_at__gte=period.start)
    if period.end is not None:
        deals = deals.filter(closed_at__lt=period.end)
    return deals
