"""What has to be true before somebody moves a lead forward by hand: the criteria of the stage."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from funnel.domain import entry, fit
from funnel.domain.lifecycle import Ladder
from funnel.models import Handoff, HandoffState, Qualification, Stage
from funnel.selectors import entry_facts, stages
from funnel.selectors.stages import Road
from smarketing.core.errors import FieldError, Invalid
from smarketing.core.prepared import Query, given

SQL = "sql"
_HELD = Query("stage_held", lambda: Stage.objects.filter(code=given("code")), ending="FOR SHARE")


class NotReady(Invalid):
    """The lead does not meet the criteria of the stage; ``detail`` says what is missing."""

    code = "not_ready"


def held(*, road: Road, to: str) -> Road:
    """The road; an own stage that is the goal stays as it is until the transaction ends.

    Whoever takes it out of use or moves it waits for us, or we for them and see what they left.
    """
    goal = road.known.get(to)
    if goal is None or goal.is_builtin:
        return road
    _HELD.all(code=to)
    return stages.road()


def check(*, lead_id: int, reached: str, goal: Stage, ladder: Ladder, now: datetime) -> None:
    """Raise :class:`NotReady` where a move forward to ``goal`` asks for more than is there.

    ``reached`` is the furthest step so far: a lead that goes back to where it has been is only put right.
    """
    high, target = ladder.by_code[reached], ladder.by_code[goal.code]
    if target.on_ladder and high.on_ladder and target.rank <= high.rank:
        return
    if goal.code == SQL:
        check_sales_ready(lead_id=lead_id)
    if goal.rule:
        _check_criteria(lead_id, goal, now=now)


def check_sales_ready(*, lead_id: int) -> None:
    """An SQL was accepted by sales, and need and budget are recorded. Raises :class:`NotReady`."""
    last = Handoff.objects.filter(lead=lead_id).order_by("-pk").values_list("state", flat=True).first()
    if last != HandoffState.ACCEPTED:
        raise NotReady(
            _("Sales has to accept the lead first: deliver it, and let its owner accept it."),
            errors=[FieldError("to", "not_accepted", _("Sales has not accepted this lead."))],
        )
    found = Qualification.objects.filter(lead=lead_id).first()
    wrong = []
    if found is None or not found.need:
        wrong.append(FieldError("need", "required", _("Say what they want to achieve.")))
    if found is None or found.budget is None:
        wrong.append(FieldError("budget", "required", _("Give the budget they have in mind.")))
    if wrong:
        raise NotReady(_("Need and budget make a lead ready: record both."), errors=wrong)


def _check_criteria(lead_id: int, goal: Stage, *, now: datetime) -> None:
    known = entry_facts.of_leads([lead_id], now=now)
    conditions, _problems = entry.parse(goal.rule)
    missing = entry.unmet(conditions, known.get(lead_id, {}))
    if missing:
        said = "; ".join(fit.describe(condition) for condition in missing)
        raise NotReady(
            _("%(stage)s asks for more than is known: %(what)s.") % {"stage": goal.name, "what": said},
            errors=[FieldError("to", "criteria_not_met", said)],
        )
