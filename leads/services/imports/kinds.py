"""What can be imported: each kind names its fields, how their cells are read, and how rows are applied.

Kinds register themselves from their app's ``ready``: leads brings users, companies, people, leads,
touchpoints and activities; the funnel brings products and opportunities.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from django.utils.translation import gettext as _

from leads.services.imports.cells import ReaderFactory
from leads.services.imports.staging import Batch
from smarketing.core.errors import Denied, Invalid
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class UnknownKind(Invalid):
    """There is no such kind of record to import."""

    code = "unknown_kind"


class KindNotAllowed(Denied):
    """The user may import, but not this kind of record."""


class Applier(Protocol):
    """Writes the staged rows of one kind."""

    def __call__(self, *, batch: Batch) -> None: ...


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a kind (as ``leads.domain.synonyms`` calls it), its reader and its staging columns.

    ``columns`` are pairs of name and SQL type; without them the field has one text column of its
    own name.
    """

    name: str
    reader: ReaderFactory
    columns: tuple[tuple[str, str], ...] = ()

    def staged(self) -> tuple[tuple[str, str], ...]:
        """The staging columns."""
        return self.columns or ((self.name, "text"),)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record.

    ``apply`` writes the staged rows set-based and fills ``import_outcome``. ``subject`` says whose
    custom attributes unmapped columns become; None where the kind has none. ``capability`` is what
    a person needs, beside that of importing at all, to bring in such a file.
    """

    name: str
    fields: tuple[Field, ...]
    apply: Applier
    subject: str | None = None
    capability: Capability = Capability.IMPORT
    by_name: dict[str, Field] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {f.name: f for f in self.fields})


_kinds: dict[str, Kind] = {}


def register(*, kind: Kind) -> None:
    """Offer ``kind`` for import. Called from ``AppConfig.ready`` only."""
    _kinds[kind.name] = kind


def get(*, name: str) -> Kind:
    """The kind of that name. Raises :class:`UnknownKind`."""
    if name not in _kinds:
        raise UnknownKind(f"“{name}” can't be imported. There are: {', '.join(names())}.")
    return _kinds[name]


def names() -> tuple[str, ...]:
    """The registered kinds, sorted."""
    return tuple(sorted(_kinds))


def open_to(*, user: User) -> tuple[Kind, ...]:
    """The kinds that this user may bring in, in the order in which files refer to one another."""
    return tuple(k for k in _kinds.values() if user.may(Capability.IMPORT) and user.may(k.capability))


def check(*, name: str, user: User) -> Kind:
    """The kind of that name. Raises :class:`UnknownKind` or :class:`KindNotAllowed`."""
    kind = get(name=name)
    if kind not in open_to(user=user):
        raise KindNotAllowed(_("Your role does not allow to import this kind of record."))
    return kind
