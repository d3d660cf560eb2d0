"""A version beside the one before it, sentence by sentence, and what people said about it."""

from __future__ import annotations

from django.db.models import QuerySet

from funnel.domain import definition_changes
from funnel.domain.definition_changes import Changed
from funnel.models import DefinitionComment, DefinitionState, DefinitionVersion
from funnel.selectors import definition_prose, definitions


def former_of(version: DefinitionVersion) -> DefinitionVersion | None:
    """The version that this one would replace or has replaced: the last in force before it."""
    held = DefinitionVersion.objects.filter(
        number__lt=version.number, state__in=[DefinitionState.IN_FORCE, DefinitionState.RETIRED]
    )
    return held.order_by("-number").first()


def changes(version: DefinitionVersion, former: DefinitionVersion) -> list[Changed]:
    """The sentences that differ; what stayed the same is left out."""
    before, after = (definition_prose.all_said(definitions.rules_of(found)) for found in (former, version))
    return definition_changes.between(before, after)


def comments(version: DefinitionVersion) -> QuerySet[DefinitionComment]:
    """What was said about the version, oldest first."""
    return DefinitionComment.objects.filter(definition=version).select_related("author").order_by("pk")
