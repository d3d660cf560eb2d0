"""Signatures by the API: who signs says again who they are, by password, slowed down like the sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.adapter import get_adapter
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework import serializers

from smarketing.core.errors import Busy, Conflict, FieldError, Invalid
from smarketing.users.models import User

if TYPE_CHECKING:
    from smarketing.web.rest.views import Resource
else:
    Resource = object


class SignIn(serializers.Serializer[Any]):
    """A signature over the text that carries ``digest``; ``password`` is that of the token's user."""

    digest = serializers.CharField(max_length=64)
    password = serializers.CharField(max_length=4096, trim_whitespace=False, write_only=True)


class NotProven(Invalid):
    """The password is not that of who signs."""

    code = "wrong_password"


class NoPassword(Conflict):
    """Who signs has no password here, for the company's directory signs them in."""

    code = "no_password"


class TooManyTries(Busy):
    """Too many wrong passwords: signatures and sign-ins of this account wait."""


class Signable(Resource):
    """For a resource with the action ``sign``, which calls :meth:`proven_digest`; stands first."""

    _guessed_wrong: User | None = None

    def proven_digest(self) -> str:
        """The digest of the body, once its password is the actor's.

        Raises :class:`NotProven`, :class:`NoPassword`, :class:`TooManyTries`.
        """
        told, actor = self.valid(), self.actor
        if not actor.has_usable_password():
            raise NoPassword("Your account has no password: sign in the browser.")
        try:
            is_proven = get_adapter(self.request._request).reauthenticate(actor, told["password"])
        except ValidationError as error:
            raise TooManyTries("Too many wrong passwords. Try again later.") from error
        if not is_proven:
            self._guessed_wrong = actor
            detail = "This is not your password."
            raise NotProven(detail, errors=[FieldError("password", NotProven.code, detail)])
        return str(told["digest"])

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """A wrong password is counted once more, for its count went back with the transaction."""
        response = super().dispatch(request, *args, **kwargs)
        if self._guessed_wrong is not None:
            get_adapter(request).authentication_failed(request, email=self._guessed_wrong.email)
        return response
