"""A definition in sentences, made from its document: text and decisions can't differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from funnel.domain import fit
from funnel.domain.definition_changes import Said
from funnel.domain.definitions import CELLS, FIT_BANDS, Action, Definition, Signal
from funnel.domain.personas import Portrait
from funnel.models import LeadAction
from leads.models import EventKind

# The parts of a definition in the order in which they are told, with what they are called.
PARTS = {
    "fit": gettext_lazy("Fit"),
    "interest": gettext_lazy("Interest"),
    "bands": gettext_lazy("Bands"),
    "cells": gettext_lazy("What happens then"),
    "minimum_information": gettext_lazy("Minimum information"),
    "exclusions": gettext_lazy("Never delivered"),
    "personas": gettext_lazy("Personas and ideal customer"),
    "effect": gettext_lazy("In force from"),
}


def sentences(rules: Definition) -> Mapping[str, list[str]]:
    """Each part of :data:`PARTS` as sentences."""
    found: dict[str, list[str]] = {part: [] for part in PARTS}
    for said in all_said(rules):
        found[said.part].append(said.text)
    return found


def all_said(rules: Definition) -> list[Said]:
    """Every sentence with what it is about, part by part."""
    return [
        *(Said("fit", c.key, fit.sentence(c)) for c in rules.criteria),
        *(Said("interest", s.key, _signal(s)) for s in rules.signals),
        Said("interest", "half_life_days", _half_life(rules)),
        *_bands(rules),
        *(Said("cells", cell, f"{cell}: {LeadAction(rules.matrix[cell]).label}") for cell in CELLS),
        *(Said("minimum_information", p[0], _asked(p)) for p in rules.minimum_information),
        *(
            Said("minimum_information", f"{band} {p[0]}", _asked_of_band(band, p))
            for band in FIT_BANDS
            for p in rules.minimum_by_band.get(band, ())
        ),
        *(
            Said(
                "exclusions",
                exclusion.key,
                _("Never delivered when %(condition)s: %(reason)s")
                % {"condition": fit.describe(exclusion.condition), "reason": exclusion.reason},
            )
            for exclusion in rules.exclusions
        ),
        *_portraits(rules),
        *_effect(rules),
    ]


def meaning(rules: Definition) -> str:
    """What a qualified lead is, in one breath: the cells that are handed off and what the bands take."""
    handed = [cell for cell in CELLS if rules.matrix[cell] is Action.HAND_OFF]
    if not handed:
        return _("No lead qualifies: the definition hands off none of its cells.")
    by_fit = {band: [cell[1] for cell in handed if cell[0] == band] for band in FIT_BANDS}
    if len(handed) == len(CELLS):
        who = _("every lead")
    else:
        who = _("; ").join(
            _("fit %(fit)s with interest %(interest)s") % {"fit": band, "interest": _(" or ").join(numbers)}
            for band, numbers in by_fit.items()
            if numbers
        )
    limits = {"fit_a": rules.fit_bands["A"], "fit_b": rules.fit_bands["B"]}
    limits |= {"one": rules.interest_bands[1], "two": rules.interest_bands[2]}
    told = (
        _("Fit A begins at %(fit_a)g points, B at %(fit_b)g; interest 1 at %(one)g points, 2 at %(two)g.")
        % limits
    )
    return _("A qualified lead: %(who)s. %(limits)s") % {"who": who, "limits": told}


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


def _bands(rules: Definition) -> list[Said]:
    fits = [
        Said("bands", f"fit_{b}", _("Fit %(band)s from %(points)g points") % {"band": b, "points": p})
        for b, p in rules.fit_bands.items()
    ]
    interests = [
        Said(
            "bands", f"interest_{b}", _("Interest %(band)s from %(points)g points") % {"band": b, "points": p}
        )
        for b, p in rules.interest_bands.items()
    ]
    held = _("A band of interest is left %(percent)g%% below where it begins") % {
        "percent": round(rules.hysteresis * 100, 6)
    }
    return [*fits, *interests, Said("bands", "hysteresis", held)]


def _asked(paths: Iterable[str]) -> str:
    return _("Known: ") + _(" or ").join(path.replace(".", " ").replace("_", " ") for path in paths)


def _asked_of_band(band: str, paths: Iterable[str]) -> str:
    return _("For fit %(band)s besides: ") % {"band": band} + _asked(paths)


def _portraits(rules: Definition) -> list[Said]:
    told = [Said("personas", p.key, portrait_words(p.name, p)) for p in rules.personas]
    if rules.ideal_customer is not None:
        words = portrait_words(_("The ideal customer"), rules.ideal_customer)
        told.insert(0, Said("personas", "ideal_customer", words))
    return told


def portrait_words(name: str, portrait: Portrait) -> str:
    """A persona or the ideal customer in one line: name, description, how it is told."""
    parts = [part for part in (portrait.description, portrait.sentence()) if part]
    return f"{name}: {' – '.join(parts)}" if parts else name


def _effect(rules: Definition) -> list[Said]:
    if rules.effective_on is None:
        return []
    words = _("In force from %(day)s") % {"day": date_format(rules.effective_on)}
    return [Said("effect", "effective_on", words)]
