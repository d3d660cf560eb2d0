"""Which handoffs count as returned, and which of those reject the lead: one rule for all counts."""

from __future__ import annotations

from django.db.models import Q

from funnel.domain.handoffs import RETURN_REASONS
from funnel.models import HandoffState

# "Not ready to buy yet" is no rejection of the lead.
_NO_REJECTION = sorted(code for code, reason in RETURN_REASONS.items() if not reason.is_rejection)
RETURNED = Q(state__in=[HandoffState.RETURNED, HandoffState.UPHELD, HandoffState.OVERTURNED])
# An overturned return counts for marketing.
REJECTED = Q(state__in=[HandoffState.RETURNED, HandoffState.UPHELD]) & ~Q(return_reason__in=_NO_REJECTION)
