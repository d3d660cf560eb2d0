"""The opportunities board: columns with their newest cards, counts and sums."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, Sum

from funnel.models import Opportunity, OpportunityStage, OpportunityStageKind
from funnel.selectors import deals, stages
from smarketing.users.models import User

CARDS = 50
# Ended deals leave the board after this time; the list keeps them.
ENDED_DAYS = 90


@dataclass(frozen=True, slots=True)
class Card:
    """A deal in its column. ``is_stuck``: longer in its stage than the organisation finds healthy."""

    deal: Opportunity
    days: int
    is_stuck: bool
    is_overdue: bool


@dataclass(frozen=True, slots=True)
class Column:
    """A stage with its newest cards. ``sums`` are (currency, amount) of all its deals, not of the cards."""

    stage: OpportunityStage
    count: int
    sums: list[tuple[str, Decimal]]
    cards: list[Card]

    @property
    def hidden(self) -> int:
        """How many deals have no card here."""
        return self.count - len(self.cards)


def columns(user: User, *, owner: User | None = None, now: datetime) -> list[Column]:
    """The whole board, or one owner's; a fixed number of queries whatever is on it."""
    on_board = _on_board(deals.listed(user), now=now)
    if owner is not None:
        on_board = on_board.filter(owner=owner)
    counts, sums = _totals(on_board)
    return [
        Column(
            stage=stage,
            count=counts.get(stage.pk, 0),
            sums=sums.get(stage.pk, []),
            cards=[
                card(deal, now=now)
                for deal in on_board.filter(stage=stage).order_by("-stage_entered_at", "-pk")[:CARDS]
            ],
        )
        for stage in stages.board_columns()
    ]


def card(deal: Opportunity, *, now: datetime) -> Card:
    """A deal as a card."""
    days = max(0, (now - deal.stage_entered_at).days)
    is_open = deal.stage.kind == OpportunityStageKind.OPEN
    limit = deal.stage.rotting_days
    return Card(
        deal=deal,
        days=days,
        is_stuck=is_open and limit is not None and days > limit,
        is_overdue=is_open and deal.expected_close_on is not None and deal.expected_close_on < now.date(),
    )


def _on_board(found: QuerySet[Opportunity], *, now: datetime) -> QuerySet[Opportunity]:
    recent = now - timedelta(days=ENDED_DAYS)
    return found.filter(Q(stage__kind=OpportunityStageKind.OPEN) | Q(closed_at__gte=recent))


def _totals(
    on_board: QuerySet[Opportunity],
) -> tuple[dict[int, int], dict[int, list[tuple[str, Decimal]]]]:
    rows = (
        on_board.select_related(None)
        .order_by()
        .values("stage_id", "currency")
        .annotate(n=Count("pk"), total=Sum("amount"))
        .order_by("stage_id", "-total")
    )
    counts: dict[int, int] = {}
    sums: dict[int, list[tuple[str, Decimal]]] = {}
    for row in rows:
        counts[row["stage_id"]] = counts.get(row["stage_id"], 0) + row["n"]
        if row["total"]:
            sums.setdefault(row["stage_id"], []).append((row["currency"], row["total"]))
    return counts, sums
