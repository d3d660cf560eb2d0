"""What each rule of a definition touches, told beside its sentence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from funnel.domain import fit
from funnel.domain.definitions import Definition
from funnel.selectors import definition_reach, definition_texts, missing
from funnel.selectors.definition_reach import Reach


@dataclass(frozen=True, slots=True)
class Touched:
    """One rule in words, and how many of ``of`` leads it touches."""

    text: str
    count: int
    of: int


@dataclass(frozen=True, slots=True)
class Told:
    """What was counted, part by part; see :class:`funnel.selectors.definition_reach.Reach`."""

    reach: Reach
    parts: list[tuple[str, list[Touched]]]


def told(rules: Definition, *, now: datetime) -> Told:
    """Count over the open leads at ``now`` and put it into words."""
    reach = definition_reach.of(rules, now=now)
    n = reach.looked_at

    def rows(texts: list[str], counts: list[int], of: int = n) -> list[Touched]:
        return [Touched(text, count, of) for text, count in zip(texts, counts, strict=True)]

    asked = missing.words(" or ".join(paths) for paths in rules.minimum_information)
    portraits = [p.name for p in rules.personas]
    counts = list(reach.personas)
    if rules.ideal_customer is not None:
        portraits.append(_("The ideal customer"))
        counts.append(reach.ideal)
    parts = [
        (_("Fit"), rows([fit.describe(c.condition) for c in rules.criteria], reach.fit)),
        (
            _("Bands"),
            rows([_("fit %(band)s") % {"band": b} for b in reach.bands], list(reach.bands.values())),
        ),
        (
            _("Interest, in the last %(days)d days") % {"days": definition_reach.DAYS},
            rows([definition_texts.signal_words(s) for s in rules.signals], reach.signals, reach.behaving),
        ),
        (
            _("Minimum information, lacking"),
            rows(asked, reach.minimum_information),
        ),
        (_("Never delivered"), rows([e.reason for e in rules.exclusions], reach.exclusions)),
        (_("Personas and ideal customer"), rows(portraits, counts)),
    ]
    return Told(reach, [(title, lines) for title, lines in parts if lines])
