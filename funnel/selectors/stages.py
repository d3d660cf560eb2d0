"""Reads of the stages and of the opportunities board's columns."""

from __future__ import annotations

from funnel.models import OpportunityStage, Stage


def by_code() -> dict[str, Stage]:
    """Every stage by its code, in the order of the road."""
    return {stage.code: stage for stage in Stage.objects.order_by("position", "code")}


def board_columns() -> list[OpportunityStage]:
    """The columns of the opportunities board, from left to right."""
    return list(OpportunityStage.objects.order_by("position", "code"))
