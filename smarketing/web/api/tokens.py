"""``/api/v1/tokens``: one's API tokens; a token can't make or see the secret of another."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from smarketing.core.errors import Denied
from smarketing.users.domain.roles import Capability as C
from smarketing.users.models import ApiToken
from smarketing.users.selectors import tokens
from smarketing.users.services import tokens as token_service
from smarketing.web.rest.views import Deletable, Listable, Resource, Retrievable


class TokenOut(serializers.ModelSerializer[ApiToken]):
    """A token without its secret."""

    class Meta:
        model = ApiToken
        fields = (
            "id",
            "user",
            "name",
            "prefix",
            "scopes",
            "expires_at",
            "revoked_at",
            "last_used_at",
            "created_at",
        )


class IssuedTokenOut(serializers.Serializer[Any]):
    """A new token with its secret, shown this once."""

    token = TokenOut()
    secret = serializers.CharField()


class TokenIn(serializers.Serializer[Any]):
    """A new token for oneself."""

    name = serializers.CharField(max_length=120)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=list(token_service.SCOPES)), min_length=1, max_length=2
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True)


class TokenResource(Listable, Retrievable, Deletable, Resource):
    """API tokens. Deleting revokes; the row stays."""

    model = ApiToken
    capabilities = {"list": C.VIEW, "retrieve": C.VIEW, "create": C.VIEW, "destroy": C.VIEW}
    output = TokenOut
    inputs = {"create": TokenIn}
    outputs = {"create": IssuedTokenOut}
    secret_actions = frozenset({"create"})
    ordering_fields = {"created_at": "created_at", "last_used_at": "last_used_at"}
    ordering_default = ("-created_at",)

    def visible(self) -> QuerySet[ApiToken]:
        return tokens.visible_to(self.actor)

    def create(self, request: Request) -> Response:
        """Make a token for oneself. Only from a signed-in page: a token must not outlive its revocation."""
        if request.auth is not None:
            raise Denied("Sign in to make a token; a token can't make another.", code="session_needed")
        data = self.valid()
        issued = token_service.issue(
            user=self.actor,
            name=data["name"],
            scopes=data["scopes"],
            expires_at=data.get("expires_at"),
            actor=self.actor,
            now=self.now,
        )
        return self.answer(issued, status=201)

    def remove(self, obj: ApiToken) -> None:
        token_service.revoke(token=obj, actor=self.actor, now=self.now)
