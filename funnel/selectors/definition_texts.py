"""A version of the definition in plain words, with its signatures, as both sides read and sign it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from funnel.domain import fit
from funnel.domain.definitions import Action, Definition, Signal
from funnel.domain.fit import Condition
from funnel.models import (
    DefinitionComment,
    DefinitionSignature,
    DefinitionState,
    DefinitionVersion,
    Filling,
    LeadAction,
)
from funnel.selectors import definition_changes, definition_prose, definitions, missing
from leads.models import EventKind
from smarketing.users.domain.roles import Side
from smarketing.users.models import SideChoices

OPEN_STATES = (DefinitionState.DRAFT, DefinitionState.PROPOSED)


@dataclass(frozen=True, slots=True)
class Line:
    """One rule in words; ``points`` is what it is worth."""

    text: str
    points: float


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the matrix and what it says to do."""

    name: str
    action: str
    label: str


@dataclass(frozen=True, slots=True)
class Band:
    """A band with its bounds in words."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class SignedSide:
    """A side and its signature over the present text, if it has signed."""

    side: str
    label: str
    signature: DefinitionSignature | None


@dataclass(frozen=True, slots=True)
class DefinitionText:
    """Everything a version says."""

    version: DefinitionVersion
    fit: list[Line]
    signals: list[Line]
    fit_bands: list[Band]
    interest_bands: list[Band]
    rows: list[tuple[Band, list[Cell]]]
    half_life_days: float
    minimum: list[str]
    exclusions: list[tuple[str, str]]
    sides: list[SignedSide]
    personas: list[tuple[str, str]]
    effective_on: date | None
    meaning: str

    @property
    def is_signed(self) -> bool:
        """Whether both sides have signed what stands here."""
        return all(side.signature is not None for side in self.sides)

    def has_signed(self, side: str | None) -> bool:
        """Whether this side has signed it."""
        return any(s.side == side and s.signature is not None for s in self.sides)


def versions() -> QuerySet[DefinitionVersion]:
    """All versions, newest first, with signatures."""
    signatures = DefinitionSignature.objects.select_related("signer")
    found = DefinitionVersion.objects.select_related("author")
    return found.prefetch_related(Prefetch("signatures", signatures)).order_by("-number")


def in_force() -> DefinitionText:
    """What applies now."""
    return text_of(versions().get(state=DefinitionState.IN_FORCE))


def in_progress() -> DefinitionVersion | None:
    """The draft or proposal of the next version."""
    return versions().filter(state__in=[*OPEN_STATES, DefinitionState.SIGNED]).first()


def text_of(version: DefinitionVersion) -> DefinitionText:
    """A version in words. Signatures over another digest than the present one don't count."""
    rules = definitions.rules_of(version)
    fit_bands = _bands(rules.fit_bands, ("A", "B", "C"))
    interest_bands = _bands({str(n): t for n, t in rules.interest_bands.items()}, ("1", "2", "3"))
    signed = {s.side: s for s in version.signatures.all() if s.digest == version.digest}
    return DefinitionText(
        version=version,
        fit=[Line(fit.describe(c.condition), c.points) for c in rules.criteria],
        signals=[Line(signal_words(s), s.points) for s in rules.signals],
        fit_bands=fit_bands,
        interest_bands=interest_bands,
        rows=[(row, [_cell(rules, row.name, column.name) for column in interest_bands]) for row in fit_bands],
        half_life_days=rules.half_life.total_seconds() / 86400,
        minimum=_minimum(rules),
        exclusions=[(fit.describe(e.condition), e.reason) for e in rules.exclusions],
        sides=[
            SignedSide(side.value, str(SideChoices(side.value).label), signed.get(side.value))
            for side in (Side.MARKETING, Side.SALES)
        ],
        personas=_personas(rules),
        effective_on=rules.effective_on,
        meaning=definition_prose.meaning(rules),
    )


def tooltip() -> str:
    """What a qualified lead is by the version in force, in plain words, wherever the word appears."""
    version = definitions.in_force()
    words = definition_prose.meaning(definitions.rules_of(version))
    return _("%(words)s (version %(number)d of the definition)") % {"words": words, "number": version.number}


def progress() -> tuple[int, int] | None:
    """How many people and leads are scored by the signed version already, of how many; None when all are."""
    filling = Filling.objects.filter(definition__state=DefinitionState.SIGNED, is_full=False).first()
    return (filling.done, filling.total) if filling is not None else None


def named_comments(version: DefinitionVersion) -> list[tuple[str, DefinitionComment]]:
    """What was said about a version, each with the name of the part it is about."""
    said = definition_changes.comments(version)
    return [(str(definition_prose.PARTS.get(comment.part, "")), comment) for comment in said]


def _minimum(rules: Definition) -> list[str]:
    told = missing.words(" or ".join(paths) for paths in rules.minimum_information)
    for band, asked in rules.minimum_by_band.items():
        words = missing.words(" or ".join(paths) for paths in asked)
        told += [_("for fit %(band)s besides: %(what)s") % {"band": band, "what": word} for word in words]
    return told


def _personas(rules: Definition) -> list[tuple[str, str]]:
    """Name and words of the ideal customer and each persona."""
    portraits = [(p.name, p) for p in rules.personas]
    if rules.ideal_customer is not None:
        portraits.insert(0, (_("The ideal customer"), rules.ideal_customer))
    return [(name, " – ".join(filter(None, (p.description, p.sentence())))) for name, p in portraits]


def signal_words(signal: Signal) -> str:
    """A signal in words: "a form whose name contains “demo”, at most once a day"."""
    kinds: Mapping[str, str] = {str(k): str(v).lower() for k, v in EventKind.choices}
    text = kinds.get(signal.event, signal.event.replace("_", " "))
    conditions = [_property(condition) for condition in signal.where]
    if conditions:
        text = _("%(event)s whose %(conditions)s") % {
            "event": text,
            "conditions": _(" and ").join(conditions),
        }
    if signal.daily_cap is not None:
        text += ngettext(", at most once a day", ", at most %(n)d times a day", signal.daily_cap) % {
            "n": signal.daily_cap
        }
    return text


def _property(condition: Condition) -> str:
    words = fit.describe(condition).removeprefix(fit.ROOT_WORDS["properties"]).strip()
    return words.replace("url ", _("address "), 1) if words.startswith("url ") else words


def _cell(rules: Definition, fit_band: str, interest_band: str) -> Cell:
    action: Action = rules.decide(fit_band, int(interest_band))
    return Cell(f"{fit_band}{interest_band}", str(action), str(LeadAction(str(action)).label))


def _bands(thresholds: Mapping[str, float], names: tuple[str, str, str]) -> list[Band]:
    upper, lower = thresholds[names[0]], thresholds[names[1]]
    return [
        Band(names[0], _("%(least)s and more") % {"least": f"{upper:g}"}),
        Band(names[1], _("%(least)s up to %(most)s") % {"least": f"{lower:g}", "most": f"{upper:g}"}),
        Band(names[2], _("below %(most)s") % {"most": f"{lower:g}"}),
    ]
