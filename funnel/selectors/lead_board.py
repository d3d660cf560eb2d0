"""The board of leads: a column for each stage, those who have stood longest first, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from funnel.models import LeadState, Stage, StageRole
from funnel.selectors import lead_rows, stage_figures
from funnel.selectors.lead_rows import LeadRow
from funnel.selectors.stage_figures import Figures
from smarketing.users.models import User
from smarketing.web import keyset

CARDS = 20
# Ended laps leave the board after this time; the list keeps them.
ENDED_DAYS = 30


@dataclass(frozen=True, slots=True)
class Card:
    """A lead in its column."""

    row: LeadRow
    version: int
    entered_at: datetime
    days: int
    is_late: bool

    @property
    def pk(self) -> int:
        """The key of the lead."""
        return self.row.pk


@dataclass(frozen=True, slots=True)
class Column:
    """A stage with its figures, a page of cards, and where the next page begins."""

    figures: Figures
    cards: list[Card]
    next: str | None

    @property
    def stage(self) -> Stage:
        """Which stage it is."""
        return self.figures.stage


def columns(user: User, figures: Sequence[Figures], *, owner: User | None, now: datetime) -> list[Column]:
    """The first page of every column: a statement for each stage and one for all their cards."""
    pages = {
        each.stage.pk: keyset.paginate(
            _standing(user, each.stage, owner=owner, now=now), ordering=_order(each.stage), limit=CARDS
        )
        for each in figures
    }
    states = [state for found in pages.values() for state in found.rows]
    cards = _cards(states, {each.stage.pk: each.stage for each in figures}, now=now)
    return [
        Column(
            each,
            [cards[state.pk] for state in pages[each.stage.pk].rows if state.pk in cards],
            pages[each.stage.pk].next,
        )
        for each in figures
    ]


def more(
    user: User, stage: Stage, *, owner: User | None, cursor: str, now: datetime
) -> tuple[list[Card], str | None]:
    """The next page of one column. Raises ``keyset.BadCursor``."""
    standing = _standing(user, stage, owner=owner, now=now)
    found = keyset.paginate(standing, ordering=_order(stage), cursor=cursor, limit=CARDS)
    cards = _cards(found.rows, {stage.pk: stage}, now=now)
    return [cards[state.pk] for state in found.rows if state.pk in cards], found.next


def first_columns(user: User, *, owner: User | None, month: datetime, now: datetime) -> list[Column]:
    """The whole board with its figures."""
    figures = stage_figures.all_of(owner=owner.pk if owner else None, month=month, now=now)
    return columns(user, figures, owner=owner, now=now)


def _standing(user: User, stage: Stage, *, owner: User | None, now: datetime) -> QuerySet[LeadState]:
    found = LeadState.objects.visible_to(user).filter(stage=stage)
    if stage.role in (StageRole.WON, StageRole.CLOSED):
        found = found.filter(entered_at__gte=now - timedelta(days=ENDED_DAYS))
    return found if owner is None else found.filter(owner=owner)


def _order(stage: Stage) -> tuple[str, ...]:
    """Who has waited longest stands first; at an end, who came last. Served by ``stage_longest_first``."""
    return ("-entered_at",) if stage.role in (StageRole.WON, StageRole.CLOSED) else ("entered_at",)


def _cards(states: Sequence[LeadState], known: dict[int, Stage], *, now: datetime) -> dict[int, Card]:
    rows = {row.pk: row for row in lead_rows.of_keys([state.pk for state in states], at=now)}
    return {state.pk: _card(state, rows[state.pk], known[state.stage_id], now=now) for state in states}


def _card(state: LeadState, row: LeadRow, stage: Stage, *, now: datetime) -> Card:
    stood, limit = now - state.entered_at, stage.time_limit_seconds
    return Card(
        row=row,
        version=state.version,
        entered_at=state.entered_at,
        days=max(0, stood.days),
        is_late=limit is not None and stood > timedelta(seconds=limit),
    )
