"""The questions of a form as a page shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crawlerdetect import CrawlerDetect

from leads.domain import form_layouts
from leads.domain.form_layouts import Attribute, Layout
from leads.services.form_answers import CONSENT

_TYPES = {
    form_layouts.EMAIL: "email",
    form_layouts.PHONE: "tel",
    form_layouts.DATE: "date",
    form_layouts.NUMBER: "text",
}
_COMPLETE = {
    "person.email": "email",
    "person.first_name": "given-name",
    "person.last_name": "family-name",
    "person.phone": "tel",
    "person.title": "organization-title",
    "person.country": "country-name",
    "person.city": "address-level2",
    "person.website": "url",
    "company.name": "organization",
}


@dataclass(frozen=True, slots=True)
class Question:
    """One question: its control, what was answered and what is wrong with it."""

    name: str
    label: str
    kind: str
    type: str
    required: bool
    help: str
    value: str
    error: str
    choices: tuple[str, ...]
    complete: str


@dataclass(frozen=True, slots=True)
class Box:
    """One consent to tick."""

    name: str
    text: str
    required: bool
    ticked: bool
    error: str


def questions(
    layout: Layout,
    given: Mapping[str, Sequence[str]],
    errors: Mapping[str, str],
    known: Sequence[str],
    attributes: Mapping[str, Attribute],
) -> list[Question]:
    """The questions that are asked, with what the address or the last try filled in."""
    found = []
    for each in layout.shown(known):
        kind = form_layouts.kind_of(each.target, attributes)
        attribute = attributes.get(each.target)
        choices = each.choices or (attribute.choices if attribute and kind == form_layouts.CHOICE else ())
        found.append(
            Question(
                name=each.name,
                label=each.label,
                kind=form_layouts.CHOICE if choices else kind,
                type=_TYPES.get(kind, "text"),
                required=each.required,
                help=each.help,
                value=(given.get(each.name) or [each.default])[0],
                error=errors.get(each.name, ""),
                choices=choices,
                complete=_COMPLETE.get(each.target, "off"),
            )
        )
    return found


def consents(layout: Layout, given: Mapping[str, Sequence[str]], errors: Mapping[str, str]) -> list[Box]:
    """The boxes to tick; none is ticked beforehand."""
    return [
        Box(
            name=CONSENT + ask.purpose,
            text=ask.text,
            required=ask.required,
            ticked=bool((given.get(CONSENT + ask.purpose) or [""])[0]) and bool(errors),
            error=errors.get(CONSENT + ask.purpose, ""),
        )
        for ask in layout.consents
    ]


def is_program(user_agent: str) -> bool:
    """Whether a known crawler looks, who is not counted as a view."""
    return not user_agent or bool(_detector.isCrawler(user_agent))


_detector = CrawlerDetect()
