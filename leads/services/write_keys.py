"""Write keys: made, changed, revoked and restored. A web process hears of it within a second."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from leads.domain import writekeys
from leads.models import KeyKind, Source, SourceKind, WriteKey
from leads.services import sources
from smarketing.core.changes import changed
from smarketing.core.errors import Denied, FieldError, Invalid
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

MAX_PER_MINUTE = 10_000_000
MAX_ORIGINS = 50


class BadKeySetting(Invalid):
    """A setting of a key does not fit; ``errors`` says which."""

    code = "bad_key_setting"


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key. ``text`` of a server key can't be read again."""

    key: WriteKey
    text: str


@transaction.atomic
def issue(
    *,
    source: Source,
    name: str,
    kind: str,
    origins: Sequence[str] = (),
    per_minute: int = 60_000,
    consent_category: str = "",
    actor: User | None,
    now: datetime,
) -> IssuedKey:
    """Make a key for ``source``, a website or a program.

    ``actor`` ``None`` is the operator at the command line. Raises ``Denied``, :class:`BadKeySetting`.
    """
    _need_manager(actor)
    if kind not in KeyKind.values:
        raise _wrong("kind", _("A key is for a browser or for a server."))
    if source.kind not in (SourceKind.WEB, SourceKind.API):
        raise _wrong("source", _("Only websites and programs have write keys."))
    values = _checked(
        name=name, kind=kind, origins=origins, per_minute=per_minute, consent_category=consent_category
    )
    is_server = kind == KeyKind.SERVER
    text = writekeys.new_key(is_server=is_server)
    key = WriteKey.objects.create(
        source=source,
        kind=kind,
        public_key="" if is_server else text,
        prefix=writekeys.shown(text),
        digest=writekeys.digest_of(text),
        created_at=now,
        updated_at=now,
        **values,
    )
    changed(actor=actor, action="write_key_issued", obj=key, now=now, after=_shown(key))
    return IssuedKey(key, text)


@transaction.atomic
def issue_for(
    *, source: Source | None, new_source: str, actor: User | None, now: datetime, **settings: Any
) -> IssuedKey:
    """As :func:`issue`, for a source that is there or a new one of that name.

    Raises :class:`BadKeySetting` also when both or neither are given.
    """
    _need_manager(actor)
    name = new_source.strip()
    if (source is None) == (not name):
        raise _wrong("new_source", _("Choose a source, or write the name of a new one."))
    if source is None:
        kind = SourceKind.API if settings.get("kind") == KeyKind.SERVER else SourceKind.WEB
        source = sources.ensure(code=_free_code(name), name=name, kind=kind, now=now)
    return issue(source=source, actor=actor, now=now, **settings)


def _free_code(name: str) -> str:
    """A code for a new source, made of its name."""
    base = slugify(name)[:50] or "source"
    taken = set(Source.objects.filter(code__startswith=base).values_list("code", flat=True))
    return next(code for n in itertools.count(1) if (code := base if n == 1 else f"{base}-{n}") not in taken)


@transaction.atomic
def change(
    *,
    key: WriteKey,
    name: str,
    origins: Sequence[str],
    per_minute: int,
    consent_category: str,
    actor: User | None,
    now: datetime,
) -> WriteKey:
    """Set what a key admits. Raises ``Denied``, :class:`BadKeySetting`."""
    _need_manager(actor)
    before = _shown(key)
    values = _checked(
        name=name, kind=key.kind, origins=origins, per_minute=per_minute, consent_category=consent_category
    )
    for field, value in values.items():
        setattr(key, field, value)
    key.updated_at = now
    key.save(update_fields=[*values, "updated_at"])
    changed(actor=actor, action="write_key_changed", obj=key, now=now, before=before, after=_shown(key))
    return key


@transaction.atomic
def revoke(*, key: WriteKey, actor: User | None, now: datetime) -> WriteKey:
    """Take no more calls with this key; a second time changes nothing. Raises ``Denied``."""
    _need_manager(actor)
    if key.revoked_at is None:
        before = _shown(key)
        key.revoked_at = key.updated_at = now
        key.save(update_fields=["revoked_at", "updated_at"])
        changed(actor=actor, action="write_key_revoked", obj=key, now=now, before=before, after=_shown(key))
    return key


@transaction.atomic
def restore(*, key: WriteKey, actor: User | None, now: datetime) -> WriteKey:
    """Take calls with this key again. Raises ``Denied``."""
    _need_manager(actor)
    if key.revoked_at is not None:
        before = _shown(key)
        key.revoked_at, key.updated_at = None, now
        key.save(update_fields=["revoked_at", "updated_at"])
        changed(actor=actor, action="write_key_restored", obj=key, now=now, before=before, after=_shown(key))
    return key


def _checked(
    *, name: str, kind: str, origins: Sequence[str], per_minute: int, consent_category: str
) -> dict[str, Any]:
    if not name.strip():
        raise _wrong("name", _("Give the key a name, such as that of the website."))
    if not 1 <= per_minute <= MAX_PER_MINUTE:
        raise _wrong("per_minute", _("Choose a number from 1 to 10,000,000."))
    wanted = [text for text in (origin.strip() for origin in origins) if text]
    if wanted and kind == KeyKind.SERVER:
        raise _wrong("origins", _("A server sends no origin; only browser keys have a list of sites."))
    if len(wanted) > MAX_ORIGINS:
        raise _wrong("origins", _("At most 50 sites; *.example.com stands for all names below."))
    try:
        allowed = writekeys.checked_origins(wanted)
    except writekeys.BadOrigin as error:
        raise _wrong("origins", str(error)) from None
    return {
        "name": name.strip()[:120].replace("\x00", ""),
        "origins": allowed,
        "per_minute": per_minute,
        "consent_category": consent_category.strip().lower()[:60].replace("\x00", ""),
    }


def _wrong(field: str, detail: str) -> BadKeySetting:
    return BadKeySetting(detail, errors=[FieldError(field, BadKeySetting.code, detail)])


def _need_manager(actor: User | None) -> None:
    if actor is not None and not actor.may(Capability.MANAGE_KEYS):
        raise Denied(_("Only an admin manages tracking keys."))


def _shown(key: WriteKey) -> dict[str, Any]:
    """What the audit trail keeps: never the key itself."""
    return {
        "name": key.name,
        "kind": key.kind,
        "beginning": key.prefix,
        "origins": list(key.origins),
        "per_minute": key.per_minute,
        "consent_category": key.consent_category,
        "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
    }
