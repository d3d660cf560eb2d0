"""The one writer of stages: a move is ledger rows and the projection of where a lead stands.

Which moves exist says the table of ``funnel.domain.lifecycle``. A row of ``LeadState`` is locked
before anything about its lead is written, so two moves of one lead follow each other. Order of locks:
handoff or opportunity, lead (only where a lap ends or reopens), interest, score, state, ring.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from django.db import transaction
from django.utils.translation import gettext as _

from funnel.domain import lifecycle as rules
from funnel.domain.lifecycle import Ladder, MoveRefused, Role
from funnel.events import StageMoved
from funnel.models import LeadState, MoveCause, Stage, StageTransition
from funnel.selectors import definitions, stages
from funnel.selectors.stages import Road
from funnel.services import company_scores, stage_gates
from leads.models import Lead
from leads.services import leads as laps
from smarketing.core import events, locks
from smarketing.core.errors import Conflict, Denied, Missing
from smarketing.core.prepared import Insert, IsAmong, Query, Statement
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

# What the product itself does with a lead, without anybody's decision; it only goes forward.
_AUTOMATIC = frozenset({MoveCause.QUALIFIED, MoveCause.CRITERIA})
# A lap ends with these: the person's return would be a new lead. An organisation's own stages end none.
ENDS = frozenset(s.code for s in rules.DEFAULT_STAGES if s.role in {Role.CLOSED, Role.WON})


_LEDGER = Insert(StageTransition)
_MOVED = Statement(
    "state_moved",
    """
WITH marked AS (
    INSERT INTO funnel_companymark (company_id)
    SELECT coalesce(l.company_id, p.company_id)
      FROM leads_lead l JOIN leads_person p ON p.id = l.person_id
     WHERE l.id = %(lead)s::bigint AND coalesce(l.company_id, p.company_id) IS NOT NULL
)
UPDATE funnel_leadstate
   SET stage_id = %(stage)s::bigint, high_water_id = %(high_water)s::bigint, seq = %(seq)s::int,
       entered_at = %(entered_at)s::timestamptz, version = version + 1
 WHERE lead_id = %(lead)s::bigint
""",
)
_STATES = Query(
    "states_of_leads",
    lambda: (
        LeadState.objects.filter(IsAmong("lead_id", "leads"))
        .select_related("stage", "high_water", "lead")
        .order_by("lead_id")
    ),
    by="leads",
)


class NotPlaced(Missing):
    """The lead has no state row, which only happens inside the transaction that captures it."""

    code = "lead_not_placed"


class MoveNotPossible(Conflict):
    """The table of moves does not allow this one."""

    code = "move_not_possible"


class MoveNotAllowed(Denied):
    """Moving a lead by hand needs the right to edit leads."""

    code = "move_not_allowed"


def lock(*, lead_ids: Sequence[int]) -> dict[int, LeadState]:
    """Lock the states of these leads, in the order of their keys, and return them by lead."""
    held = locks.hold(LeadState, lead_ids)
    return {row.lead_id: row for row in _STATES.all(leads=held)}


def locked(*, lead_id: int) -> LeadState:
    """The locked state of one lead. Raises :class:`NotPlaced`."""
    state = lock(lead_ids=[lead_id]).get(lead_id)
    if state is None:
        raise NotPlaced(_("This lead has no stage yet."))
    return state


def lock_laps(*, lead_ids: Sequence[int]) -> dict[int, LeadState]:
    """As :func:`lock`, for whoever may end or reopen laps: the leads themselves are locked before."""
    locks.hold(Lead, lead_ids)
    return lock(lead_ids=lead_ids)


@transaction.atomic
def move(
    *,
    lead: Lead,
    to: str,
    cause: str,
    actor: User | None,
    at: datetime,
    now: datetime,
    reason: str = "",
    reopen: bool = False,
) -> LeadState:
    """Take ``lead`` to stage ``to`` and return its state; nothing happens when it is there already.

    Skipped stages of the road become implied rows of zero duration. Moves without an actor are the
    automation's and only go forward. ``reopen`` takes a lead out of a stage that ended its lap (an
    answer or a deal that is undone). Entering customer, lost, disqualified or recycled ends the lap.
    What somebody moves forward by hand meets the stage's criteria (:mod:`funnel.services.stage_gates`).
    Publishes :class:`StageMoved`. Raises :class:`MoveNotPossible`, :class:`MoveNotAllowed`,
    ``NotReady``.
    """
    if cause == MoveCause.MANUAL and (actor is None or not actor.may(Capability.EDIT_LEADS)):
        raise MoveNotAllowed(_("Your role may not move leads."))
    if to in ENDS or reopen:
        lock_laps(lead_ids=[lead.pk])
    state = locked(lead_id=lead.pk)
    return move_locked(
        state=state, to=to, cause=cause, actor=actor, at=at, now=now, reason=reason, reopen=reopen
    )


@events.story()
def move_locked(
    *,
    state: LeadState,
    to: str,
    cause: str,
    actor: User | None,
    at: datetime,
    now: datetime,
    reason: str = "",
    reopen: bool = False,
) -> LeadState:
    """As :func:`move`, for whoever has locked the state, and before it the lead where its lap may end."""
    road = stage_gates.held(road=stages.road(), to=to)
    if cause == MoveCause.MANUAL and not stage_of(code=to, known=road.known).by_hand:
        raise MoveNotPossible(_("Only a merge of two records takes a lead there."), code="not_by_hand")
    before, reached, at = state.stage.code, state.high_water.code, max(at, state.entered_at)
    rows = apply(
        state=state, to=to, road=road, cause=cause, actor=actor, reason=reason, at=at, now=now, reopen=reopen
    )
    if not rows:
        return state
    if cause == MoveCause.MANUAL:
        stage_gates.check(
            lead_id=state.lead_id, reached=reached, goal=state.stage, ladder=road.ladder, now=now
        )
    for row in rows:
        _LEDGER.add(row)
    _MOVED.count(
        lead=state.lead_id,
        stage=state.stage_id,
        high_water=state.high_water_id,
        seq=state.seq,
        entered_at=state.entered_at,
    )
    state.version += 1
    _end_or_reopen(state, before, to, at=at, now=now)
    _publish_moved(state, before, cause=cause, reason=reason, actor=actor, at=at, now=now)
    return state


def _publish_moved(
    state: LeadState,
    before: str,
    *,
    cause: str,
    reason: str,
    actor: User | None,
    at: datetime,
    now: datetime,
) -> None:
    events.publish(
        StageMoved(
            lead_id=state.lead_id,
            from_stage=before,
            to_stage=state.stage.code,
            cause=str(cause),
            reason=reason,
            actor_id=actor.pk if actor else None,
            effective_at=at,
            now=now,
        )
    )


@transaction.atomic
def move_many(*, roads: Mapping[int, Sequence[tuple[str, datetime]]], cause: str, now: datetime) -> int:
    """Take many leads along dated roads, as an import of the past does; return how many moved.

    ``roads`` gives each lead's stages and instants, in order. Only forward: a lead whose lap has ended
    stays, and a stage it has reached is passed over. No facts about single leads are published; the
    caller publishes one about the import.
    """
    states = lock_laps(lead_ids=list(roads))
    road = stages.road()
    rows: list[StageTransition] = []
    moved: list[LeadState] = []
    ends: list[tuple[int, datetime]] = []
    for lead_id, state in states.items():
        count = len(rows)
        for to, at in roads[lead_id]:
            if state.stage.code in ENDS or _has_reached(state, to, road.ladder):
                continue
            at = max(at, state.entered_at)
            rows += apply(state=state, to=to, road=road, cause=cause, actor=None, reason="", at=at, now=now)
            if to in ENDS:
                ends.append((lead_id, at))
        if len(rows) > count:
            state.version += 1
            moved.append(state)
    StageTransition.objects.bulk_create(rows, batch_size=5000)
    LeadState.objects.bulk_update(
        moved, ["stage", "high_water", "entered_at", "seq", "version"], batch_size=1000
    )
    laps.close_many(ends=ends, now=now)
    company_scores.mark_leads(lead_ids=[state.lead_id for state in moved])
    return len(moved)


def _has_reached(state: LeadState, to: str, ladder: Ladder) -> bool:
    stage = ladder.by_code.get(to)
    on_road = stage is not None and stage.on_ladder
    return on_road and ladder.reaches(state.high_water.code, to)


def apply(
    *,
    state: LeadState,
    to: str,
    road: Road,
    cause: str,
    actor: User | None,
    reason: str,
    at: datetime,
    now: datetime,
    reopen: bool = False,
) -> list[StageTransition]:
    """Change ``state`` as the move says, in memory, and return the ledger rows to write; [] for none."""
    why = reason or str(MoveCause(cause).label)
    known, ladder = road
    steps = _plan(state, to, ladder, reason=why, cause=cause, reopen=reopen)
    if not steps:
        return []
    definition = definitions.in_force_id() if cause == MoveCause.QUALIFIED else None
    rows = [
        StageTransition(
            lead_id=state.lead_id,
            seq=state.seq + number,
            from_stage=known[step.from_stage] if step.from_stage else None,
            to_stage=known[step.to_stage],
            is_implied=step.implied,
            cause=cause,
            reason=reason[:500],
            actor=actor,
            definition_id=definition,
            stage_version=known[step.to_stage].version,
            effective_at=at,
            recorded_at=now,
        )
        for number, step in enumerate(steps, start=1)
    ]
    furthest = ladder.furthest(state.high_water.code, *(step.to_stage for step in steps))
    state.stage, state.high_water = known[to], known[furthest or to]
    state.entered_at, state.seq = at, state.seq + len(steps)
    return rows


def _plan(
    state: LeadState, to: str, ladder: Ladder, *, reason: str, cause: str, reopen: bool
) -> list[rules.Step]:
    """The rows of the move, or the domain's refusal as an error of this service."""
    try:
        return ladder.plan_move(
            state.stage.code,
            to,
            last_step=_last_step(state, ladder),
            reason=reason,
            automatic=cause in _AUTOMATIC,
            reopen=reopen,
        )
    except MoveRefused as refused:
        raise MoveNotPossible(refused.detail, code=refused.code) from refused


def _last_step(state: LeadState, ladder: Ladder) -> str | None:
    """The step of the road that a lead beside the road came from."""
    stage = ladder.by_code.get(state.stage.code)
    if stage is None or stage.on_ladder:
        return None
    road = [step.code for step in ladder.steps]
    last = (
        StageTransition.objects.filter(lead_id=state.lead_id, to_stage__code__in=road)
        .order_by("-seq")
        .values_list("to_stage__code", flat=True)
        .first()
    )
    return last


def _end_or_reopen(state: LeadState, before: str, to: str, *, at: datetime, now: datetime) -> None:
    if to in ENDS:
        laps.close(lead=state.lead, at=max(at, state.captured_at), now=now)
    elif before in ENDS:
        laps.reopen(lead=state.lead, now=now)


@lru_cache(maxsize=16)
def plans(*, ladder: Ladder) -> Mapping[str, tuple[rules.Step, ...]]:
    """For each stage in use the rows by which a lead is placed there at once.

    A lead was captured as a lead, whatever came after: that row is a fact. What the source does not
    tell, the steps between, is implied.
    """
    table = {}
    for code in (stage.code for stage in ladder.by_code.values() if stage.in_use):
        steps = ladder.plan_move(None, code, reason=str(MoveCause.IMPORTED.label))
        table[code] = tuple(replace(s, implied=s.implied and s.from_stage is not None) for s in steps)
    return table


def stage_of(*, code: str, known: Mapping[str, Stage]) -> Stage:
    """The stage of that code. Raises :class:`MoveNotPossible` for an unknown one and one out of use."""
    if code not in known:
        raise MoveNotPossible(_("There is no stage “%(code)s”.") % {"code": code}, code="unknown_stage")
    if not known[code].is_active:
        refused = _("%(stage)s is not used any more.") % {"stage": known[code].name}
        raise MoveNotPossible(refused, code="not_in_use")
    return known[code]
