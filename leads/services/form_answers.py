"""From what was typed into a form to what is stored: checked field by field, all faults at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from leads.domain import channels, form_layouts
from leads.domain.form_layouts import Attribute, ConsentAsk, Field, Layout
from leads.models import AttributeDefinition
from leads.services import attributes as custom
from leads.services import identifiers
from leads.services.companies import CompanyInput
from leads.services.people import PersonInput
from smarketing.core.errors import Invalid

MOST_MEMBERS = 200
MOST_CHARACTERS = 20_000
CONSENT = "consent_"


@dataclass(slots=True)
class Answers:
    """``values`` by target and ``consents`` that were ticked; ``errors`` by the field's name."""

    values: dict[str, Any] = field(default_factory=dict)
    consents: list[ConsentAsk] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    def person(self) -> PersonInput:
        """Who answered."""
        value = self.values.get
        return PersonInput(
            first_name=value("person.first_name", ""),
            last_name=value("person.last_name", ""),
            emails=[text for text in [value("person.email", "")] if text],
            phones=[text for text in [value("person.phone", "")] if text],
            title=value("person.title", ""),
            country=value("person.country", ""),
            city=value("person.city", ""),
            language=value("person.language", ""),
            website=value("person.website", ""),
            attributes=self.attributes("person"),
        )

    def company(self) -> CompanyInput | None:
        """Where they work, if they said so."""
        name = self.values.get("company.name", "")
        return CompanyInput(name) if name else None

    def attributes(self, subject: str) -> dict[str, Any]:
        """Custom attributes of ``subject`` by key."""
        found = ((form_layouts.attribute_of(target), value) for target, value in self.values.items())
        return {where[1]: value for where, value in found if where and where[0] == subject}

    @property
    def heard(self) -> tuple[str, str]:
        """How they say they heard of us, and the channel's code; two empty texts when they said nothing."""
        text = self.values.get("lead.heard", "")
        return text, (channels.from_origin(text) or channels.UNKNOWN) if text else ""


def check(*, layout: Layout, given: Mapping[str, Sequence[str]], known: Collection[str] = ()) -> Answers:
    """What ``given`` (texts by the field's name) answers. ``known`` are the targets that a progressive
    form did not ask this time.
    """
    found = Answers()
    definitions = _definitions(layout)
    kinds = {t: Attribute(d.type, tuple(d.choices)) for t, d in definitions.items()}
    asked = {f.name for f in layout.shown(known)}
    for each in layout.fields:
        text = clean(text=(given.get(each.name) or [each.default if each.hidden else ""])[0])
        if not text or each.target in found.values:
            continue
        try:
            kind = form_layouts.kind_of(each.target, kinds)
            found.values[each.target] = _value(each, kind, text, definitions.get(each.target))
        except ValueError as error:
            found.errors[each.name] = str(error)
    for each in layout.fields:
        missing = each.target not in found.values and each.name not in found.errors
        if missing and each.required and each.name in asked:
            found.errors[each.name] = _("This field is required.")
    for ask in layout.consents:
        if clean(text=(given.get(CONSENT + ask.purpose) or [""])[0]):
            found.consents.append(ask)
        elif ask.required:
            found.errors[CONSENT + ask.purpose] = _("Without this we can't take your answer.")
    if not any(found.values.get(target) for target in form_layouts.IDENTIFYING) and not found.errors:
        first = next((f.name for f in layout.fields if f.target in form_layouts.IDENTIFYING), "")
        found.errors[first] = _("Give an e-mail address or a phone number.")
    return found


def clean(*, text: str) -> str:
    """Text without what can't be stored (null characters, half surrogates) and without marks that turn
    the direction of what follows.
    """
    storable = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    return "".join(c for c in storable if c not in _TURNING).strip()


_TURNING = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))


def _definitions(layout: Layout) -> dict[str, AttributeDefinition]:
    places = {f.target: where for f in layout.fields if (where := form_layouts.attribute_of(f.target))}
    if not places:
        return {}
    rows = AttributeDefinition.objects.filter(
        subject__in={s for s, _key in places.values()}, key__in={key for _s, key in places.values()}
    )
    by_place = {(d.subject, d.key): d for d in rows}
    return {target: by_place[where] for target, where in places.items() if where in by_place}


def _value(each: Field, kind: str, text: str, definition: AttributeDefinition | None) -> Any:
    """Raises ``ValueError`` with a sentence for the person."""
    if definition is not None:
        if each.choices and text not in each.choices:
            raise ValueError(_("Choose one of the answers."))
        return custom.typed(definition=definition, raw=text)
    most = form_layouts.TARGETS.get(each.target, ("", 0))[1]
    if len(text) > most:
        raise ValueError(_("This is longer than %(n)d characters.") % {"n": most})
    if each.choices and text not in each.choices:
        raise ValueError(_("Choose one of the answers."))
    try:
        if kind == form_layouts.EMAIL:
            return identifiers.email_of(text=text)
        if kind == form_layouts.PHONE:
            return identifiers.phone_of(text=text).written
    except Invalid as error:
        raise ValueError(error.detail) from error
    if kind != form_layouts.AREA:
        return " ".join(text.split())
    return text
