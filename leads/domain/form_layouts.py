"""What a form asks: its fields, consents and words, read from a draft and checked before it is published."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

MOST_FIELDS = 40
MOST_CONSENTS = 8
MOST_CHOICES = 100
_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_.-]{0,59}$")
# Names that the page itself uses.
RESERVED = frozenset({"_t", "_trap", "_page", "_ref", "_aid", "retURL", "oid", "encoding"})

TEXT, AREA, EMAIL, PHONE, NUMBER, DATE, CHOICE, YES_NO = (
    "text", "area", "email", "phone", "number", "date", "choice", "yes_no",
)  # fmt: skip
# (target, kind, most characters). The allow-list of what a form may write, beside custom attributes.
TARGETS: dict[str, tuple[str, int]] = {
    "person.email": (EMAIL, 320),
    "person.first_name": (TEXT, 120),
    "person.last_name": (TEXT, 120),
    "person.phone": (PHONE, 60),
    "person.title": (TEXT, 200),
    "person.country": (TEXT, 80),
    "person.city": (TEXT, 120),
    "person.website": (TEXT, 500),
    "person.language": (TEXT, 12),
    "company.name": (TEXT, 255),
    "lead.description": (AREA, 4000),
    "lead.origin": (TEXT, 120),
    "lead.heard": (TEXT, 120),
}
IDENTIFYING = ("person.email", "person.phone")
ATTRIBUTE_KINDS = {"text": TEXT, "number": NUMBER, "boolean": YES_NO, "date": DATE, "choice": CHOICE}
_ATTRIBUTE = re.compile(r"^(person|lead)\.attr\.([-a-zA-Z0-9_]{1,60})$")


@dataclass(frozen=True, slots=True)
class Field:
    """One question. ``name`` is its name in a post; ``target`` is where the answer goes.

    A ``hidden`` field carries ``default`` unless the page sends another value. A ``progressive`` one is
    not asked again in a browser that has answered it.
    """

    name: str
    target: str
    label: str
    required: bool = False
    help: str = ""
    choices: tuple[str, ...] = ()
    hidden: bool = False
    default: str = ""
    progressive: bool = False


@dataclass(frozen=True, slots=True)
class ConsentAsk:
    """One box to tick: the purpose's code and the wording that stands beside it."""

    purpose: str
    text: str
    required: bool = False
    double_opt_in: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything that a version of a form shows and does."""

    title: str = ""
    intro: str = ""
    submit: str = ""
    thanks: str = ""
    redirect_url: str = ""
    fields: tuple[Field, ...] = ()
    consents: tuple[ConsentAsk, ...] = ()

    def shown(self, known: Iterable[str] = ()) -> Iterator[Field]:
        """The questions that are asked of a browser which has answered the targets in ``known``."""
        answered = set(known)
        return (f for f in self.fields if not f.hidden and not (f.progressive and f.target in answered))

    def as_json(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Attribute:
    """What a layout needs to know of a custom attribute."""

    type: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Around:
    """What a layout is checked against: custom attributes by target, purposes, hosts of answers."""

    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    purposes: frozenset[str] = frozenset()
    redirect_hosts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong: ``path`` is dotted ("fields.2.label"), ``code`` one of those below."""

    path: str
    code: str


def read(stored: Mapping[str, Any]) -> Layout:
    """A layout from JSON; what is not of the right type is left out, so that a draft can always be shown."""
    return Layout(
        **{
            name: _text(stored.get(name), 4000)
            for name in ("title", "intro", "submit", "thanks", "redirect_url")
        },
        fields=tuple(_field(row) for row in _rows(stored.get("fields"))[: MOST_FIELDS + 1]),
        consents=tuple(_consent(row) for row in _rows(stored.get("consents"))[: MOST_CONSENTS + 1]),
    )


def kind_of(target: str, attributes: Mapping[str, Attribute]) -> str:
    """The kind of answer that a target takes; "" for a target that does not exist."""
    if target in TARGETS:
        return TARGETS[target][0]
    known = attributes.get(target)
    return ATTRIBUTE_KINDS.get(known.type, "") if known else ""


def attribute_of(target: str) -> tuple[str, str] | None:
    """The subject and key of a custom attribute, or ``None`` for another target."""
    match = _ATTRIBUTE.match(target)
    return (match[1], match[2]) if match else None


def faults(layout: Layout, around: Around) -> list[Fault]:
    """Everything that keeps the layout from being published; empty when nothing does."""
    found = [*_of_words(layout, around)]
    seen_names: set[str] = set()
    seen_targets: set[str] = set()
    for index, each in enumerate(layout.fields):
        for part, code in _of_field(each, around, seen_names, seen_targets):
            found.append(Fault(f"fields.{index}.{part}", code))
        seen_names.add(each.name)
        seen_targets.add(each.target)
    purposes: set[str] = set()
    for index, ask in enumerate(layout.consents):
        for part, code in _of_consent(ask, around, purposes, has_email="person.email" in seen_targets):
            found.append(Fault(f"consents.{index}.{part}", code))
        purposes.add(ask.purpose)
    if not seen_targets & set(IDENTIFYING):
        found.append(Fault("fields", "nobody"))
    return found


def host_of(url: str) -> str:
    """The host of an absolute http(s) address in lower case; "" for anything else.

    Addresses that browsers and libraries read differently ("https:evil", "/\\evil", user names,
    white space, control characters) count as none.
    """
    if (
        not url.isascii()
        or re.search(r"[\x00-\x20\\]", url)
        or not re.match(r"^https?://[^/?#@]+([/?#]|$)", url, re.I)
    ):
        return ""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    return (parts.hostname or "") if port is None or 0 < port < 65536 else ""


def _of_words(layout: Layout, around: Around) -> Iterator[Fault]:
    if not layout.title.strip():
        yield Fault("title", "required")
    if layout.redirect_url and host_of(layout.redirect_url) not in around.redirect_hosts:
        yield Fault("redirect_url", "host")
    if len(layout.fields) > MOST_FIELDS:
        yield Fault("fields", "too_many")
    if len(layout.consents) > MOST_CONSENTS:
        yield Fault("consents", "too_many")


def _of_field(each: Field, around: Around, names: set[str], targets: set[str]) -> Iterator[tuple[str, str]]:
    kind = kind_of(each.target, around.attributes)
    if not kind:
        yield "target", "unknown"
    elif each.target in targets:
        yield "target", "twice"
    if not each.label.strip() and not each.hidden:
        yield "label", "required"
    if not _NAME.match(each.name) or each.name in RESERVED or each.name.startswith("consent_"):
        yield "name", "name"
    elif each.name in names:
        yield "name", "twice"
    if each.target == "person.email" and (each.hidden or each.progressive):
        yield "progressive" if each.progressive else "hidden", "email_asked"
    if each.hidden and each.required:
        yield "required", "hidden"
    if len(each.choices) > MOST_CHOICES:
        yield "choices", "too_many"
    known = around.attributes.get(each.target)
    if kind == CHOICE and known and not set(each.choices) <= set(known.choices):
        yield "choices", "choices"


def _of_consent(
    ask: ConsentAsk, around: Around, purposes: set[str], *, has_email: bool
) -> Iterator[tuple[str, str]]:
    if ask.purpose not in around.purposes:
        yield "purpose", "unknown"
    elif ask.purpose in purposes:
        yield "purpose", "twice"
    if not ask.text.strip():
        yield "text", "required"
    if ask.double_opt_in and not has_email:
        yield "double_opt_in", "needs_email"


def _rows(value: object) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def _text(value: object, most: int) -> str:
    return value.replace("\x00", "").strip()[:most] if isinstance(value, str) else ""


def _field(row: Mapping[str, Any]) -> Field:
    choices = row.get("choices")
    given = choices if isinstance(choices, list | tuple) else []
    return Field(
        name=_text(row.get("name"), 500),
        target=_text(row.get("target"), 500),
        label=_text(row.get("label"), 500),
        help=_text(row.get("help"), 500),
        default=_text(row.get("default"), 500),
        required=row.get("required") is True,
        hidden=row.get("hidden") is True,
        progressive=row.get("progressive") is True,
        choices=tuple(dict.fromkeys(t for c in given if (t := _text(c, 200)))),
    )


def _consent(row: Mapping[str, Any]) -> ConsentAsk:
    return ConsentAsk(
        purpose=_text(row.get("purpose"), 40),
        text=_text(row.get("text"), 4000),
        required=row.get("required") is True,
        double_opt_in=row.get("double_opt_in") is True,
    )
