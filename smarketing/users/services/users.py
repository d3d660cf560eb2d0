"""Colleagues: added, changed, given a role, deactivated. Never deleted: their work stays theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import available_timezones

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F

from smarketing.core import events
from smarketing.core.changes import changed
from smarketing.core.errors import Conflict, Denied, FieldError, Invalid
from smarketing.users.domain.roles import LEVEL, Capability, Role
from smarketing.users.events import ZoneChanged
from smarketing.users.models import Membership, Team, User


class EmailTaken(Conflict):
    """Another user has this e-mail address."""

    code: ClassVar[str] = "email_taken"


class LastAdmin(Conflict):
    """Nobody would be left who can manage users."""

    code: ClassVar[str] = "last_admin"


@transaction.atomic
def create(
    *,
    name: str,
    email: str | None,
    role: str,
    actor: User | None,
    now: datetime,
    password: str | None = None,
    teams: Iterable[Team] = (),
    region: str = "",
    time_zone: str = "UTC",
    locale: str = "en",
    manager: User | None = None,
    is_demo: bool = False,
) -> User:
    """Add a colleague. Without a password they set one by “forgot password” or sign in by OIDC.

    ``actor`` ``None`` is the operator at the command line. Raises ``Denied``, ``Invalid``,
    :class:`EmailTaken`.
    """
    wanted = _role(role)
    _may_touch(actor, wanted)
    address = _email(email)
    user = User(
        name=_name(name),
        email=address,
        role=wanted,
        region=region[:120],
        time_zone=_zone(time_zone),
        locale=locale,
        manager=manager,
        is_demo=is_demo,
        created_at=now,
        updated_at=now,
    )
    _set_password(user, password)
    user.save(force_insert=True)
    if address:
        # An admin vouches for the address: sign-in by OIDC and second factors ask for a verified one.
        EmailAddress.objects.create(user=user, email=address, verified=True, primary=True)
    Membership.objects.bulk_create([Membership(user=user, team=team) for team in teams])
    changed(actor=actor, action="user_added", obj=user, now=now, after=_shown(user))
    return user


@transaction.atomic
def update(*, user: User, actor: User | None, now: datetime, **values: Any) -> User:
    """Change name, email, region, time_zone, locale or manager. Role and state have services of their own.

    Raises ``Denied``, ``Invalid``, :class:`EmailTaken`.
    """
    _may_touch(actor, Role(user.role))
    before = _shown(user)
    for field, value in values.items():
        if field not in _EDITABLE:
            raise Invalid(f"{field} can't be changed here.")
        setattr(user, field, _EDITABLE[field](value))
    if "email" in values and user.email != before["email"]:
        _email(user.email, except_user=user)
        EmailAddress.objects.filter(user=user).delete()
        if user.email:
            EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    _save(user, now, *values)
    if user.time_zone != before["time_zone"]:
        events.publish(ZoneChanged(user.pk, now))
    changed(actor=actor, action="user_changed", obj=user, now=now, before=before, after=_shown(user))
    return user


@transaction.atomic
def change_role(*, user: User, role: str, actor: User | None, now: datetime) -> User:
    """Give ``user`` another role; nobody grants, or touches, a level above their own.

    Raises ``Denied``, ``Invalid``, :class:`LastAdmin`.
    """
    wanted = _role(role)
    _may_touch(actor, Role(user.role))
    _may_touch(actor, wanted)
    if user.role == wanted:
        return user
    _keep_an_admin(user)
    before, user.role = {"role": user.role}, wanted
    _save(user, now, "role")
    changed(actor=actor, action="role_changed", obj=user, now=now, before=before, after={"role": user.role})
    return user


@transaction.atomic
def deactivate(*, user: User, actor: User | None, now: datetime) -> User:
    """End ``user``'s access at once: sessions end, tokens stop, sign-in is refused.

    Raises ``Denied``, :class:`LastAdmin`.
    """
    _may_touch(actor, Role(user.role))
    if not user.is_active:
        return user
    _keep_an_admin(user)
    user.is_active = False
    _save(user, now, "is_active")
    sign_out_everywhere(user=user)
    changed(
        actor=actor,
        action="user_deactivated",
        obj=user,
        now=now,
        before={"is_active": True},
        after={"is_active": False},
    )
    return user


@transaction.atomic
def reactivate(*, user: User, actor: User | None, now: datetime) -> User:
    """Let ``user`` in again. Raises ``Denied``."""
    _may_touch(actor, Role(user.role))
    if user.is_active:
        return user
    user.is_active = True
    _save(user, now, "is_active")
    changed(
        actor=actor,
        action="user_reactivated",
        obj=user,
        now=now,
        before={"is_active": False},
        after={"is_active": True},
    )
    return user


@transaction.atomic
def set_password(*, user: User, password: str | None, actor: User | None, now: datetime) -> User:
    """Set a password (``None``: none can be used) and sign ``user`` out everywhere."""
    if actor is None or actor.pk != user.pk:
        _may_touch(actor, Role(user.role))
    _set_password(user, password)
    _save(user, now, "password")
    sign_out_everywhere(user=user)
    changed(actor=actor, action="password_set", obj=user, now=now)
    return user


@transaction.atomic
def sign_out_everywhere(*, user: User, except_session: str | None = None) -> None:
    """End every session of ``user`` (but one): the epoch is part of the session's hash."""
    User.objects.get_queryset().filter(pk=user.pk).update(session_epoch=F("session_epoch") + 1)
    user.refresh_from_db(fields=["session_epoch"])
    for session in UserSession.objects.filter(user=user).exclude(session_key=except_session or ""):
        session.end()


def _save(user: User, now: datetime, *fields: str) -> None:
    user.updated_at = now
    user.version = F("version") + 1
    user.save(update_fields=[*fields, "updated_at", "version"])
    user.refresh_from_db(fields=["version"])


def _may_touch(actor: User | None, role: Role) -> None:
    if actor is None:
        return
    if not actor.may(Capability.MANAGE_USERS):
        raise Denied("Only an admin can change users.")
    if LEVEL[role] > LEVEL[Role(actor.role)]:
        raise Denied("Nobody can grant or change a role above their own.")


def _keep_an_admin(user: User) -> None:
    admins = User.objects.active().filter(role=Role.ADMIN).order_by("pk").select_for_update()
    if user.role == Role.ADMIN and [admin.pk for admin in admins] == [user.pk]:
        raise LastAdmin("This is the last admin. Make somebody else admin first.")


def _role(role: str) -> Role:
    try:
        return Role(role)
    except ValueError as error:
        choice = ", ".join(r.value for r in Role)
        raise Invalid(
            "There is no such role.", errors=[FieldError("role", "unknown", f"Choose from {choice}.")]
        ) from error


def _name(name: str) -> str:
    text = " ".join(name.split())
    if not text or len(text) > 200:
        raise Invalid(
            "A name is needed.", errors=[FieldError("name", "invalid", "Write 1 to 200 characters.")]
        )
    return text


def _email(email: str | None, *, except_user: User | None = None) -> str | None:
    if not email or not email.strip():
        return None
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as error:
        raise Invalid(
            "The e-mail address can't be used.",
            errors=[FieldError("email", "invalid", "Write an address such as ann@example.com.")],
        ) from error
    others = User.objects.get_queryset().filter(email=address)
    if except_user is not None:
        others = others.exclude(pk=except_user.pk)
    if others.exists():
        raise EmailTaken(
            "Another user has this e-mail address.",
            errors=[FieldError("email", "taken", "Use another address or reactivate that user.")],
        )
    return address


def _plain_email(email: str | None) -> str | None:
    return email.strip().lower() if email and email.strip() else None


def _zone(zone: str) -> str:
    if zone not in available_timezones():
        raise Invalid(
            "There is no such time zone.",
            errors=[FieldError("time_zone", "unknown", "Write a name such as Europe/Berlin.")],
        )
    return zone


def _region(region: str) -> str:
    return region.strip()[:120]


def _locale(locale: str) -> str:
    return locale.strip()[:12] or "en"


def _manager(manager: User | None) -> User | None:
    return manager


_EDITABLE: Mapping[str, Any] = {
    "name": _name,
    "email": _plain_email,
    "region": _region,
    "time_zone": _zone,
    "locale": _locale,
    "manager": _manager,
}


def _set_password(user: User, password: str | None) -> None:
    if password is None:
        user.set_unusable_password()
        return
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid(
            "This password can't be used.",
            errors=[FieldError("password", "weak", text) for text in error.messages],
        ) from error
    user.set_password(password)


def _shown(user: User) -> dict[str, Any]:
    return {
        "name": user.name,
        "email": user.email,
        "role": str(user.role),
        "region": user.region,
        "time_zone": user.time_zone,
        "locale": user.locale,
        "manager_id": user.manager_id,
    }


@transaction.atomic
def set_hashed_password(*, user: User, hashed: str, now: datetime) -> User:
    """Give ``user`` a password that is hashed already; for colleagues of the demo company."""
    user.password = hashed
    _save(user, now, "password")
    return user
