"""Custom attributes: their definitions, and the check of values against them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from leads.models import AttributeDefinition, AttributeSubject, AttributeType
from leads.services import fields
from smarketing.audit.services import entries
from smarketing.core import locks
from smarketing.core.errors import Conflict, FieldError, Invalid
from smarketing.users.models import User

_TRUE = frozenset({"1", "true", "yes", "y", "on"})
_FALSE = frozenset({"0", "false", "no", "n", "off"})
_MAX_TEXT = 4000


class BadAttribute(Invalid):
    """A value does not fit its attribute, or no such attribute is defined."""

    code = "bad_attribute"


class TypeDiffers(Conflict):
    """The attribute exists with another type, and values may be stored already."""

    code = "attribute_type_differs"


@transaction.atomic
def define(
    *,
    subject: str,
    key: str,
    label: str = "",
    type: str = AttributeType.TEXT,  # noqa: A002 - the word of the model and of the pages
    choices: Sequence[str] = (),
    is_after_contact: bool = False,
    actor: User | None,
    now: datetime,
) -> AttributeDefinition:
    """Define an attribute, or change the label, choices and flag of the one with this key.

    Kept in the audit trail. Raises :class:`TypeDiffers`, or what ``fields.checked`` raises.
    """
    good = fields.checked(
        model=AttributeDefinition,
        values={
            "subject": subject,
            "key": key,
            "label": label or key.replace("_", " ").capitalize(),
            "type": type,
            "choices": [str(c).strip() for c in choices if str(c).strip()],
            "is_after_contact": is_after_contact,
        },
        allowed=("subject", "key", "label", "type", "choices", "is_after_contact"),
    )
    if good["type"] == AttributeType.CHOICE and not good["choices"]:
        detail = _("Name at least one choice.")
        raise BadAttribute(detail, errors=[FieldError("choices", BadAttribute.code, detail)])
    definition = _lock(good)
    before = _settings(definition) if definition else None
    definition = _change(definition, good, now=now) if definition else _insert(good, now=now)
    if before != (after := _settings(definition)):
        entries.record(
            actor=actor,
            action="attribute.changed" if before else "attribute.defined",
            obj=definition,
            before=before,
            after=after,
            now=now,
        )
    return definition


def _lock(good: Mapping[str, Any]) -> AttributeDefinition | None:
    """The definition with this subject and key, locked; two callers at once take turns."""
    locks.advisory(locks.Namespace.ATTRIBUTE, zlib.crc32(f"{good['subject']} {good['key']}".encode()))
    known = AttributeDefinition.objects.filter(subject=good["subject"], key=good["key"])
    return known.select_for_update().first()


def _change(
    definition: AttributeDefinition, good: Mapping[str, Any], *, now: datetime
) -> AttributeDefinition:
    if definition.type != good["type"]:
        raise TypeDiffers(
            _("“%(key)s” is already defined as “%(type)s”.")
            % {"key": definition.key, "type": definition.get_type_display()}
        )
    definition.label, definition.choices = good["label"], good["choices"]
    definition.is_after_contact, definition.updated_at = good["is_after_contact"], now
    definition.save(update_fields=["label", "choices", "is_after_contact", "updated_at"])
    return definition


def _insert(good: Mapping[str, Any], *, now: datetime) -> AttributeDefinition:
    return AttributeDefinition.objects.create(**good, **fields.stamps(now=now))


def _settings(definition: AttributeDefinition) -> dict[str, Any]:
    return {
        "label": definition.label,
        "type": definition.type,
        "choices": definition.choices,
        "is_after_contact": definition.is_after_contact,
    }


def merged(
    *, subject: AttributeSubject, present: Mapping[str, Any], changes: Mapping[str, Any]
) -> dict[str, Any]:
    """``present`` with ``changes`` over it, each in the type of its definition; ``None`` or "" removes.

    Raises :class:`BadAttribute` with one entry per wrong value, under ``attributes.<key>``.
    """
    if not isinstance(changes, Mapping):
        raise BadAttribute(
            _("Attributes are given as an object of keys and values."),
            errors=[FieldError("attributes", BadAttribute.code, _("Give an object of keys and values."))],
        )
    result = dict(present)
    if not changes:
        return result
    known = {d.key: d for d in AttributeDefinition.objects.filter(subject=subject, key__in=list(changes))}
    wrong: list[FieldError] = []
    for key, raw in changes.items():
        if raw is None or raw == "":
            result.pop(key, None)
        elif key not in known:
            wrong.append(_wrong(key, _("No such attribute is defined.")))
        else:
            try:
                result[key] = typed(definition=known[key], raw=raw)
            except ValueError as error:
                wrong.append(_wrong(key, str(error)))
    if wrong:
        raise BadAttribute(_("Some of the attributes can't be used."), errors=wrong)
    return result


def typed(*, definition: AttributeDefinition, raw: Any) -> Any:
    """The value as it is stored: text, number, true or false, an ISO date, or one of the choices.

    Raises ``ValueError`` with a sentence for the person.
    """
    match definition.type:
        case AttributeType.NUMBER:
            return _number(raw)
        case AttributeType.BOOLEAN:
            return _boolean(raw)
        case AttributeType.DATE:
            return _date(raw)
        case AttributeType.CHOICE:
            return _choice(raw, definition.choices)
        case _:
            return _text(raw)


def _number(raw: Any) -> int | float:
    if isinstance(raw, bool):
        raise ValueError(_("This must be a number."))
    try:
        number = Decimal(str(raw).strip())
    except InvalidOperation as error:
        raise ValueError(_("This must be a number.")) from error
    if not number.is_finite() or abs(number) >= Decimal("1e18"):
        raise ValueError(_("This number is out of range."))
    return int(number) if number == number.to_integral_value() else float(number)


def _boolean(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(_("This must be yes or no."))
    return word in _TRUE


def _date(raw: Any) -> str:
    if isinstance(raw, datetime):
        raw = raw.date()
    if isinstance(raw, date):
        return raw.isoformat()
    try:
        return date.fromisoformat(str(raw).strip()[:10]).isoformat()
    except ValueError as error:
        raise ValueError(_("This must be a date such as 2026-03-31.")) from error


def _choice(raw: Any, choices: Sequence[str]) -> str:
    wanted = _text(raw).casefold()
    for choice in choices:
        if choice.casefold() == wanted:
            return choice
    raise ValueError(_("Choose one of: %(choices)s.") % {"choices": ", ".join(choices)})


def _text(raw: Any) -> str:
    if isinstance(raw, Mapping | list | tuple):
        raw = json.dumps(raw, default=str)
    text = str(raw).strip()
    if "\x00" in text:
        raise ValueError(_("Null characters are not allowed."))
    if len(text) > _MAX_TEXT:
        raise ValueError(_("This is longer than %(limit)d characters.") % {"limit": _MAX_TEXT})
    return text


def _wrong(key: str, detail: str) -> FieldError:
    return FieldError(f"attributes.{key}", BadAttribute.code, detail)
