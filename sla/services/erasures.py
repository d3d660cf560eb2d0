"""What an erasure leaves of the books of clocks: times and verbs, not what was written about a person."""

from __future__ import annotations

from leads.services.erasure_steps import BY_LEAD, EMPTY, Step

_CLOCKS = (
    "clock_id IN (SELECT c.id FROM sla_clock c JOIN funnel_handoff h ON h.id = c.handoff_id"  # noqa: S608
    f" WHERE h.{BY_LEAD})"
)
_HANDOFFS = f"handoff_id IN (SELECT h.id FROM funnel_handoff h WHERE h.{BY_LEAD})"  # noqa: S608
STEPS = (
    Step("sla_clockaction", _CLOCKS, {"reason": EMPTY}),
    Step("sla_snooze", _HANDOFFS, {"reason": EMPTY}),
)
