"""The words that both sides agreed on, by what they are bound to: shown wherever that appears (R38)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.text import slugify

from funnel.selectors import definition_texts
from sla.models import AgreementState, AgreementVersion

# Words whose meaning is the definition in force, besides what the agreement says of them.
DEFINED = frozenset({"stage:mql", "metric:supply_count"})


@dataclass(frozen=True, slots=True)
class Meaning:
    """A word, what it means, and the anchor of its entry on the agreement's page."""

    term: str
    meaning: str
    anchor: str


def anchor(term: str) -> str:
    """The fragment of a word's entry on the agreement's page."""
    return f"term-{slugify(term, allow_unicode=True)}"


def in_force() -> dict[str, Meaning]:
    """What the words of the agreement in force mean, by binding ("metric:worked", "stage:mql")."""
    annex = (
        AgreementVersion.objects.filter(state=AgreementState.IN_FORCE).values_list("annex", flat=True).first()
    )
    return {
        entry["bound_to"]: Meaning(entry["term"], _explained(entry), anchor(entry["term"]))
        for entry in (annex or {}).get("glossary", [])
        if entry.get("bound_to")
    }


def _explained(entry: Mapping[str, str]) -> str:
    if entry["bound_to"] not in DEFINED:
        return entry["meaning"]
    return f"{entry['meaning']} {definition_texts.tooltip()}"
