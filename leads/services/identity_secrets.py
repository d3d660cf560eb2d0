"""Identity secrets of sources: made, turned, required, given up. Web processes hear of it within a second."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from leads.domain import proofs
from leads.models import IdentitySecret, Source, SourceKind
from smarketing.core import secrets
from smarketing.core.changes import changed
from smarketing.core.errors import Denied, FieldError, Invalid
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

FORMER_SECRET_COUNTS = timedelta(days=1)


class NoProving(Invalid):
    """This source can't ask for proofs."""

    code = "no_identity_secret"


@dataclass(frozen=True, slots=True)
class IssuedSecret:
    """A source with its new identity secret, which can't be read again."""

    source: Source
    secret: str


@transaction.atomic
def turn(*, source: Source, actor: User | None, now: datetime) -> IssuedSecret:
    """Make a secret, or a new one: then the former is good for a day more, so that the site can change over.

    Raises ``Denied``; :class:`NoProving` for a source that no page sends to.
    """
    _need_manager(actor)
    if source.kind not in (SourceKind.WEB, SourceKind.API):
        raise _refusal("source", _("Only websites and programs send events that could be signed."))
    text = proofs.new_secret()
    kept, is_new = IdentitySecret.objects.select_for_update().get_or_create(
        source=source, defaults={"secret": secrets.encrypt(text), "created_at": now, "updated_at": now}
    )
    if not is_new:
        kept.former_secret, kept.former_until = kept.secret, now + FORMER_SECRET_COUNTS
        kept.secret, kept.updated_at = secrets.encrypt(text), now
        kept.save(update_fields=["secret", "former_secret", "former_until", "updated_at"])
    changed(actor=actor, action="identity_secret_turned", obj=source, now=now, after=_shown(kept))
    return IssuedSecret(source, text)


@transaction.atomic
def demand(*, source: Source, required: bool, actor: User | None, now: datetime) -> Source:
    """Whether calls from pages that name somebody need a proof. Raises ``Denied``, :class:`NoProving`."""
    _need_manager(actor)
    kept = _locked(source)
    if kept is None:
        raise _refusal("required", _("Make a secret first, and let the website's server sign with it."))
    before = _shown(kept)
    if kept.is_required != required:
        kept.is_required, kept.updated_at = required, now
        kept.save(update_fields=["is_required", "updated_at"])
        after = _shown(kept)
        changed(
            actor=actor, action="identity_proof_demanded", obj=source, now=now, before=before, after=after
        )
    return source


@transaction.atomic
def give_up(*, source: Source, actor: User | None, now: datetime) -> Source:
    """Forget the secret: pages are believed as they were before; a second time changes nothing.

    Raises ``Denied``.
    """
    _need_manager(actor)
    kept = _locked(source)
    if kept is not None:
        before = _shown(kept)
        kept.delete()
        changed(actor=actor, action="identity_secret_given_up", obj=source, now=now, before=before)
    return source


def _locked(source: Source) -> IdentitySecret | None:
    return IdentitySecret.objects.select_for_update().filter(source=source).first()


def _refusal(field: str, detail: str) -> NoProving:
    return NoProving(detail, errors=[FieldError(field, NoProving.code, detail)])


def _need_manager(actor: User | None) -> None:
    if actor is not None and not actor.may(Capability.MANAGE_KEYS):
        raise Denied(_("Only an admin manages tracking keys."))


def _shown(kept: IdentitySecret) -> dict[str, Any]:
    """What the audit trail keeps: never the secret itself."""
    return {"proof_required": kept.is_required}
