"""API tokens: issued once, shown once, revoked at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Q

from smarketing.core.changes import changed
from smarketing.core.errors import Denied, DomainError, FieldError, Invalid
from smarketing.core.prepared import Query, given
from smarketing.users.domain import secrets
from smarketing.users.domain.roles import Capability
from smarketing.users.models import ApiToken, User

SCOPES = ("read", "write")
_TOUCH_EVERY = timedelta(minutes=1)
_OF_PREFIX = Query(
    "token_of_prefix",
    lambda: ApiToken.objects.select_related("user").filter(prefix=given("prefix"))[:1],
)


class BadToken(DomainError):
    """The token is unknown, revoked, expired or its user has left."""

    status: ClassVar[int] = 401
    code: ClassVar[str] = "bad_token"
    title: ClassVar[str] = "The token is not valid"


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token with its secret, which can't be read again."""

    token: ApiToken
    secret: str


@transaction.atomic
def issue(
    *,
    user: User,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime | None,
    actor: User | None,
    now: datetime,
) -> IssuedToken:
    """Make a token that acts as ``user``.

    Everybody may make tokens for themselves; for others only who manages keys (``actor`` ``None`` is
    the operator at the command line). Raises :class:`Denied`, :class:`Invalid`.
    """
    if actor is not None and actor.pk != user.pk and not actor.may(Capability.MANAGE_KEYS):
        raise Denied("Only an admin can make tokens for somebody else.")
    wanted = sorted(set(scopes))
    if not wanted or any(scope not in SCOPES for scope in wanted):
        raise Invalid("Choose at least one scope.", errors=[_scope_error()])
    if not user.is_active:
        raise Invalid("This user is deactivated and can't have a token.")
    if expires_at is not None and expires_at <= now:
        raise Invalid(
            "The token would have expired already.",
            errors=[FieldError("expires_at", "past", "Choose a time in the future.")],
        )
    secret, prefix = secrets.new_token()
    token = ApiToken.objects.create(
        user=user,
        name=name.strip()[:120] or "token",
        prefix=prefix,
        digest=secrets.digest_of(secret),
        scopes=wanted,
        expires_at=expires_at,
        created_at=now,
        updated_at=now,
    )
    changed(actor=actor, action="token_issued", obj=token, now=now, after=_shown(token))
    return IssuedToken(token, secret)


@transaction.atomic
def revoke(*, token: ApiToken, actor: User | None, now: datetime) -> ApiToken:
    """End ``token`` at once; a second time changes nothing. Raises :class:`Denied`."""
    if actor is not None and actor.pk != token.user_id and not actor.may(Capability.MANAGE_KEYS):
        raise Denied("Only an admin can revoke somebody else's token.")
    if token.revoked_at is None:
        token.revoked_at = token.updated_at = now
        token.save(update_fields=["revoked_at", "updated_at"])
        changed(actor=actor, action="token_revoked", obj=token, now=now, before=_shown(token))
    return token


def authenticate(*, presented: str, now: datetime) -> ApiToken:
    """The live token behind the text of an ``Authorization`` header, or raise :class:`BadToken`.

    One sentence for every cause, so that a guess learns nothing. Notes the use at most once a minute.
    """
    prefix = secrets.prefix_of(presented)
    token = _OF_PREFIX.first(prefix=prefix) if prefix else None
    if (
        token is None
        or not secrets.same(bytes(token.digest), presented)
        or token.revoked_at is not None
        or (token.expires_at is not None and token.expires_at <= now)
        or not token.user.is_active
    ):
        raise BadToken("The token is unknown, revoked or expired. Ask for a new one.")
    if token.last_used_at is None or token.last_used_at <= now - _TOUCH_EVERY:
        _touch(token, now)
    return token


def _touch(token: ApiToken, now: datetime) -> None:
    """Note the use, unless another request is just doing so: nobody waits for that one's transaction."""
    stale = Q(last_used_at=None) | Q(last_used_at__lte=now - _TOUCH_EVERY)
    with transaction.atomic():
        free = ApiToken.objects.filter(stale, pk=token.pk).select_for_update(skip_locked=True)
        ApiToken.objects.filter(pk__in=list(free.values_list("pk", flat=True))).update(last_used_at=now)


def _shown(token: ApiToken) -> dict[str, Any]:
    """What the audit trail keeps: nothing that opens a door."""
    return {
        "name": token.name,
        "acts_as": token.user.name,
        "scopes": list(token.scopes),
        "expires_at": token.expires_at,
    }


def _scope_error() -> FieldError:
    return FieldError("scopes", "unknown", f"Choose from {', '.join(SCOPES)}.")
