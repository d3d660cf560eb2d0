"""Stages of a lead and the one table that says which move is which.

An organisation edits its stages, so the rules are written over the *role* a stage plays, not over its
name. Current stage and high-water mark are different things: a lead may go back, what it once reached
stays known. Stages skipped by a forward move are recorded as implied, with zero duration.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Side(StrEnum):
    """The team that owns a stage."""

    MARKETING = "marketing"
    SALES = "sales"


class Role(StrEnum):
    """What a stage does in the journey."""

    ANONYMOUS = "anonymous"  # before the person is known
    MAIN = "main"  # a step of the ladder
    WON = "won"  # the top of the ladder
    PARKING = "parking"  # aside, in the same episode: comes back to the ladder
    CLOSED = "closed"  # the end of this episode: coming back opens a new lead


class Move(StrEnum):
    """The kind of a step in the ledger."""

    ENTER = "enter"
    ADVANCE = "advance"
    REGRESS = "regress"
    DETOUR = "detour"
    CLOSE = "close"
    REENTER = "reenter"
    REOPEN = "reopen"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage. ``rank`` orders the ladder; on a side stage it is the least rank it is reached from.

    ``target_days`` is what is hoped for, ``limit_days`` is when somebody must look; None: no limit.
    """

    code: str
    label: str
    role: Role
    rank: int
    side: Side
    definition: str
    entry: str
    target_days: int | None = None
    limit_days: int | None = None
    by_hand: bool = True  # False: only what happened takes a lead there
    in_use: bool = True  # False: no lead enters it any more, and skipping it implies nothing

    @property
    def on_ladder(self) -> bool:
        """Is it a step of the ladder (and not a side stage)?"""
        return self.role in LADDER_ROLES


LADDER_ROLES = frozenset({Role.ANONYMOUS, Role.MAIN, Role.WON})

DEFAULT_STAGES: tuple[Stage, ...] = (
    Stage(
        "visitor", "Visitor", Role.ANONYMOUS, 0, Side.MARKETING,
        "Somebody who looks at our pages and has not told us who they are.",
        "The first recorded event of an unknown browser.",
    ),
    Stage(
        "lead", "Lead", Role.MAIN, 1, Side.MARKETING,
        "A known person who showed interest. Not yet checked against the definition.",
        "The person became known by at least one identifier.", 30, 90,
    ),
    Stage(
        "mql", "MQL", Role.MAIN, 2, Side.MARKETING,
        "A lead that fits the signed definition and shows enough interest to be handed to sales.",
        "Fit and interest reached a cell of the definition that says: hand off.", 1, 3,
    ),
    Stage(
        "sql", "SQL", Role.MAIN, 3, Side.SALES,
        "A lead that sales accepted after speaking with the person.",
        "Accepted by sales, and need and budget are recorded.", 14, 30,
    ),
    Stage(
        "opportunity", "Opportunity", Role.MAIN, 4, Side.SALES,
        "A concrete deal with an amount and a date is being worked on.",
        "An opportunity was opened for the lead.", 45, 120,
    ),
    Stage(
        "customer", "Customer", Role.WON, 5, Side.SALES,
        "The deal was won.", "An opportunity of the lead was won.",
    ),
    Stage(
        "nurture", "Nurture", Role.PARKING, 1, Side.MARKETING,
        "The right kind of person, at the wrong time. Marketing stays in touch.",
        "The definition, or sales with the reason “not ready”, says: keep warm.", 90, 365,
    ),
    Stage(
        "recycled", "Recycled", Role.CLOSED, 2, Side.MARKETING,
        "Given back by sales. When the person comes back, a new lead of the same person begins.",
        "Returned or dropped by sales with a reason that leaves the door open.",
    ),
    Stage(
        "disqualified", "Disqualified", Role.CLOSED, 0, Side.MARKETING,
        "Will never buy from us, and is not delivered again.",
        "An exclusion matched, or a return said so with its reason.",
    ),
    Stage(
        "lost", "Lost", Role.CLOSED, 4, Side.SALES,
        "There was a deal, and it went elsewhere.", "The last open opportunity of the lead was lost.",
    ),
    Stage(
        "merged", "Merged", Role.CLOSED, 0, Side.MARKETING,
        "The person was known twice; another lead of theirs goes on.",
        "Two records of one person were merged, and both had an open lead.", by_hand=False,
    ),
)  # fmt: skip

# The transition table. A pair that is missing is refused. Between two steps of the ladder the ranks decide
# between advance and regress.
TRANSITIONS: Mapping[tuple[Role | None, Role], tuple[Move, ...]] = {
    (None, Role.ANONYMOUS): (Move.ENTER,),
    (None, Role.MAIN): (Move.ENTER,),
    (None, Role.WON): (Move.ENTER,),
    (None, Role.PARKING): (Move.ENTER,),
    (None, Role.CLOSED): (Move.ENTER,),
    (Role.ANONYMOUS, Role.MAIN): (Move.ADVANCE,),
    (Role.ANONYMOUS, Role.WON): (Move.ADVANCE,),
    (Role.ANONYMOUS, Role.CLOSED): (Move.CLOSE,),
    (Role.MAIN, Role.MAIN): (Move.ADVANCE, Move.REGRESS),
    (Role.MAIN, Role.WON): (Move.ADVANCE,),
    (Role.MAIN, Role.PARKING): (Move.DETOUR,),
    (Role.MAIN, Role.CLOSED): (Move.CLOSE,),
    (Role.WON, Role.MAIN): (Move.REGRESS,),
    (Role.WON, Role.CLOSED): (Move.CLOSE,),
    (Role.PARKING, Role.MAIN): (Move.REENTER,),
    (Role.PARKING, Role.WON): (Move.REENTER,),
    (Role.PARKING, Role.PARKING): (Move.DETOUR,),
    (Role.PARKING, Role.CLOSED): (Move.CLOSE,),
    (Role.CLOSED, Role.MAIN): (Move.REOPEN,),
    (Role.CLOSED, Role.WON): (Move.REOPEN,),
    (Role.CLOSED, Role.PARKING): (Move.REOPEN,),
    (Role.CLOSED, Role.CLOSED): (Move.CLOSE,),
}
NEEDS_REASON = frozenset({Move.REGRESS, Move.CLOSE, Move.REOPEN})


class MoveRefused(ValueError):
    """The move is not possible; ``code`` is stable, ``detail`` says why and what to do instead."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the ledger. ``from_stage`` is None on entry; an implied step took no time."""

    from_stage: str | None
    to_stage: str
    move: Move
    implied: bool = False


class Ladder:
    """The stages of an organisation and the moves between them."""

    def __init__(self, stages: Sequence[Stage] = DEFAULT_STAGES) -> None:
        """Raises ValueError when codes repeat or two steps of the ladder share a rank."""
        self.by_code: dict[str, Stage] = {stage.code: stage for stage in stages}
        steps = sorted((stage for stage in stages if stage.on_ladder), key=lambda stage: stage.rank)
        self.steps: tuple[Stage, ...] = tuple(steps)
        if len(self.by_code) != len(stages) or len({stage.rank for stage in steps}) != len(steps):
            raise ValueError("Stages need different codes, and the steps of the ladder different ranks.")
        main = [stage.rank for stage in steps if stage.role is Role.MAIN]
        if not main:
            raise ValueError("The ladder needs at least one main stage.")
        self._first = main[0]

    def plan_move(
        self,
        current: str | None,
        target: str,
        *,
        last_step: str | None = None,
        reason: str = "",
        automatic: bool = False,
        reopen: bool = False,
    ) -> list[Step]:
        """The ledger rows that take a lead from ``current`` (None: new) to ``target``.

        ``last_step`` is the ladder stage a lead on a side stage came from. ``automatic`` moves never go
        back. A closed lead moves only with ``reopen`` (a correction); otherwise the return of a person
        is a new lead. Returns [] when it is already there. Raises MoveRefused.
        """
        goal = self._stage(target)
        if current == target:
            return []
        if not goal.in_use:
            raise MoveRefused("not_in_use", f"{goal.label} is not used any more.")
        origin = None if current is None else self._stage(current)
        move = self._kind(origin, goal)
        self._check(move, reason=reason, automatic=automatic, reopen=reopen)
        self._check_reached(origin if last_step is None else self._stage(last_step), goal)
        steps: list[Step] = []
        at = current
        for stage in self._skipped(origin, goal, last_step):
            steps.append(Step(at, stage.code, Move.ENTER if at is None else Move.ADVANCE, implied=True))
            at = stage.code
        if at is not None and current is None:
            move = self._kind(self._stage(at), goal)
        steps.append(Step(at, goal.code, move))
        return steps

    def furthest(self, *codes: str | None) -> str | None:
        """The highest ladder stage among ``codes``: the high-water mark. Side stages do not count."""
        reached = [stage for code in codes if code and (stage := self.by_code.get(code)) and stage.on_ladder]
        return max(reached, key=lambda stage: stage.rank).code if reached else None

    def reaches(self, high_water: str | None, code: str) -> bool:
        """Did a lead whose high-water mark this is ever reach ``code`` or beyond?"""
        if high_water is None:
            return False
        return self._stage(high_water).rank >= self._stage(code).rank

    def targets(self, current: str | None) -> list[str]:
        """Codes of the stages one may choose from here, in ladder order, for menus."""
        possible = []
        by_hand = (stage for stage in self.by_code.values() if stage.by_hand and stage.in_use)
        for stage in sorted(by_hand, key=lambda s: (not s.on_ladder, s.rank)):
            try:
                steps = self.plan_move(current, stage.code, reason="menu")
            except MoveRefused:
                continue
            if steps:
                possible.append(stage.code)
        return possible

    def _stage(self, code: str) -> Stage:
        try:
            return self.by_code[code]
        except KeyError:
            raise MoveRefused("unknown_stage", f"There is no stage “{code}”.") from None

    def _kind(self, origin: Stage | None, goal: Stage) -> Move:
        moves = TRANSITIONS.get((origin.role if origin else None, goal.role))
        if not moves:
            here = origin.label if origin else "nowhere"
            raise MoveRefused("no_such_move", f"A lead can't go from {here} to {goal.label}.")
        if len(moves) > 1 and origin is not None:
            return moves[0] if goal.rank > origin.rank else moves[1]
        return moves[0]

    def _check(self, move: Move, *, reason: str, automatic: bool, reopen: bool) -> None:
        if move is Move.REOPEN and not reopen:
            raise MoveRefused("new_lap", "This lead is closed. When the person comes back, open a new lead.")
        if automatic and move in {Move.REGRESS, Move.REOPEN}:
            raise MoveRefused("only_forward", "Automation only moves leads forward.")
        if move in NEEDS_REASON and not reason.strip():
            raise MoveRefused("reason_required", "Give a reason for this move.")

    def _check_reached(self, step: Stage | None, goal: Stage) -> None:
        """A side stage may ask for a least rank: nothing is lost that was never an opportunity."""
        if step is None or goal.on_ladder or not step.on_ladder or step.rank >= goal.rank:
            return
        needed = next(stage.label for stage in self.steps if stage.rank >= goal.rank)
        raise MoveRefused("too_early", f"{goal.label} is only possible from {needed} on.")

    def _skipped(self, origin: Stage | None, goal: Stage, last_step: str | None) -> Iterable[Stage]:
        """Ladder stages passed over. A new lead is at least a lead; its time as a visitor is not implied."""
        if origin is None:
            if goal.role is Role.ANONYMOUS:
                return ()
            below, upto = -1, goal.rank if goal.on_ladder else max(goal.rank, self._first) + 1
        elif not goal.on_ladder:
            return ()
        elif origin.on_ladder:
            below, upto = origin.rank, goal.rank
        else:
            below, upto = self._stage(last_step).rank if last_step else self._first, goal.rank
        between = (stage for stage in self.steps if below < stage.rank < upto)
        return tuple(stage for stage in between if stage.role is Role.MAIN and stage.in_use)


DEFAULT_LADDER = Ladder()
plan_move = DEFAULT_LADDER.plan_move
