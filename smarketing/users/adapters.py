"""How django-allauth meets our users: nobody signs up, guessing is slow, links are ours."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest

from smarketing.core import clock
from smarketing.users.models import User
from smarketing.users.services import letters, throttle, users


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by an admin or by ``manage.py adduser``."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Refuse while the account has to wait, before any password is hashed."""
        email, address = _who(credentials), self.get_client_ip(request)
        if throttle.seconds_to_wait(email=email, address=address, now=clock.now()):
            raise self.validation_error("too_many_login_attempts")
        super().pre_authenticate(request, **credentials)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """A success forgets the failures of this account from this address."""
        user: AbstractBaseUser | None = super().authenticate(request, **credentials)
        if user is not None:
            throttle.succeeded(email=_who(credentials), address=self.get_client_ip(request))
        return user

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Count it."""
        throttle.failed(email=_who(credentials), address=self.get_client_ip(request), now=clock.now())

    def reauthenticate(self, user: AbstractBaseUser, password: str) -> bool:
        """By the user's own address, which is there also for users that were imported."""
        if not isinstance(user, User) or not user.email:
            return False
        again = self.authenticate(context.request, email=user.email, password=password)
        return again is not None and again.pk == user.pk

    def set_password(self, user: AbstractBaseUser, password: str) -> None:
        """Through our service, which signs the user out everywhere else."""
        if isinstance(user, User):
            users.set_password(user=user, password=password, actor=user, now=clock.now())

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that ``web.edge.ClientAddress`` has found behind trusted proxies."""
        return str(request.META.get("REMOTE_ADDR", ""))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Through the outbox. Mails name this site by SITE_URL, never by the Host header."""
        site = SimpleNamespace(name="Smarketing", domain=urlsplit(settings.SITE_URL).netloc)
        told = {"request": self.request, "email": email, **context, "current_site": site}
        message = self.render_mail(template_prefix, email, told)
        letters.write(email=email, subject=str(message.subject), text=str(message.body), now=clock.now())

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Built from SITE_URL, never from the Host header."""
        url: str = super().get_reset_password_from_key_url(key)
        return settings.SITE_URL + urlsplit(url).path


class SocialAdapter(DefaultSocialAccountAdapter):
    """Sign-in by OIDC is for colleagues we know: by their verified e-mail address."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Never: an unknown colleague asks an admin."""
        return False


def _who(credentials: dict[str, Any]) -> str:
    return str(credentials.get("email") or credentials.get("username") or "")
