"""A definition in sentences, made from its document: text and decisions can't differ."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from funnel.domain import fit
from funnel.domain.definitions import CELLS, Definition, Signal
from funnel.models import LeadAction
from leads.models import EventKind


def sentences(rules: Definition) -> Mapping[str, list[str]]:
    """Each part of the definition as sentences: fit, interest, bands, cells, minimum, exclusions."""
    return {
        "fit": [fit.sentence(criterion) for criterion in rules.criteria],
        "interest": [_signal(signal) for signal in rules.signals] + [_half_life(rules)],
        "bands": _bands(rules),
        "cells": [f"{cell}: {LeadAction(rules.matrix[cell]).label}" for cell in CELLS],
        "minimum_information": [_asked(paths) for paths in rules.minimum_information],
        "exclusions": [
            _("Never delivered when %(condition)s: %(reason)s")
            % {"condition": fit.describe(exclusion.condition), "reason": exclusion.reason}
            for exclusion in rules.exclusions
        ],
    }


def _signal(signal: Signal) -> str:
    kind = EventKind(signal.event).label if signal.event in EventKind.values else signal.event
    text = _("%(points)+g for: %(kind)s") % {"points": signal.points, "kind": kind}
    if signal.where:
        text += _(", when ") + _(" and ").join(fit.describe(condition) for condition in signal.where)
    if signal.daily_cap is not None:
        text += ngettext(
            " (counts once a day)", " (counts %(n)d times a day)", signal.daily_cap
        ) % {"n": signal.daily_cap}  # fmt: skip
    return text


def _half_life(rules: Definition) -> str:
    days = rules.half_life.total_seconds() / 86_400
    return _("What a signal counts for halves every %(days)g days.") % {"days": days}


def _bands(rules: Definition) -> list[str]:
    fits = [
        _("Fit %(band)s from %(points)g points") % {"band": b, "points": p}
        for b, p in rules.fit_bands.items()
    ]
    interests = [
        _("Interest %(band)s from %(points)g points") % {"band": b, "points": p}
        for b, p in rules.interest_bands.items()
    ]
    return [*fits, *interests]


def _asked(paths: tuple[str, ...]) -> str:
    return _("Known: ") + _(" or ").join(path.replace(".", " ").replace("_", " ") for path in paths)
