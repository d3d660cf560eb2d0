"""What the Supply page shows beside the report: leads held at the gate, and what became of the others."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Exists, OuterRef, QuerySet

from funnel.models import DefinitionVersion, Handoff, HandoffState
from smarketing.users.domain.roles import Side


def held_at_the_gate() -> QuerySet[Handoff]:
    """Leads whose latest handoff failed the gate, newest first: marketing completes and delivers them."""
    later = Handoff.objects.filter(lead=OuterRef("lead"), pk__gt=OuterRef("pk"))
    return (
        Handoff.objects.filter(~Exists(later), state=HandoffState.GATE_FAILED, lead__closed_at=None)
        .select_related("lead__person", "lead__company")
        .order_by("-pk")
    )


def latest_answers(limit: int) -> Sequence[Handoff]:
    """The latest answers of sales, newest first, whoever gave them."""
    return list(
        Handoff.objects.filter(answered_at__isnull=False)
        .select_related("lead__person", "lead__company", "lead__campaign", "owner")
        .order_by("-answered_at", "-pk")[:limit]
    )


def is_definition_signed() -> bool:
    """Whether both sides have signed the definition in force."""
    version = DefinitionVersion.objects.in_force().prefetch_related("signatures").first()
    if version is None:
        return False
    signed = {s.side for s in version.signatures.all() if s.digest == version.digest}
    return signed >= set(Side)
