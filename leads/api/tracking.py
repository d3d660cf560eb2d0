"""``/api/v1/sources``, ``write-keys``, ``dead-letters``: who sends events, and what could not be applied."""

from __future__ import annotations

from typing import Any, Literal

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from leads.forms.write_keys import DeadLetterFilter, KeyFilter
from leads.models import DeadLetter, KeyKind, Source, SourceKind, WriteKey
from leads.selectors import write_keys as reads
from leads.services import dead_letters, identity_secrets, sources, write_keys
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import Code, ModelOut
from smarketing.web.rest.views import Creatable, Listable, Resource, Retrievable, Updatable


class SourceOut(ModelOut[Source]):
    """A system that records and events come from."""

    proof = serializers.SerializerMethodField()

    class Meta:
        model = Source
        fields = ("id", "code", "name", "kind", "proof", "created_at")

    def get_proof(self, source: Source) -> Literal["none", "optional", "required"]:
        """Whether pages have to prove who a visitor is."""
        kept = getattr(source, "identity_secret", None)
        if kept is None:
            return "none"
        return "required" if kept.is_required else "optional"


class IdentitySecretOut(serializers.Serializer[Any]):
    """A source with its new identity secret, which is shown this once."""

    source = SourceOut()
    secret = serializers.CharField()


class ProofIn(serializers.Serializer[Any]):
    """Whether calls from pages that name somebody need a proof."""

    required = serializers.BooleanField()


class SourceIn(serializers.Serializer[Any]):
    """A new source; only those of kind "web" and "api" can have write keys."""

    code = serializers.SlugField(max_length=60)
    name = serializers.CharField(max_length=120)
    kind = serializers.ChoiceField(choices=SourceKind.choices)


class SourceResource(Listable, Retrievable, Creatable, Resource):
    """Sources of records and events."""

    model = Source
    capabilities = {
        "list": C.VIEW,
        "retrieve": C.VIEW,
        "create": C.MANAGE_KEYS,
        "turn_identity_secret": C.MANAGE_KEYS,
        "require_proof": C.MANAGE_KEYS,
        "give_up_identity_secret": C.MANAGE_KEYS,
    }
    output = SourceOut
    inputs = {"create": SourceIn, "require_proof": ProofIn}
    outputs = {"turn_identity_secret": IdentitySecretOut}
    secret_actions = frozenset({"turn_identity_secret"})
    ordering_fields = {"code": "code", "id": "pk"}
    ordering_default = ("code",)

    def visible(self) -> QuerySet[Source]:
        return reads.sources(self.actor)

    def make(self, data: dict[str, Any]) -> Source:
        return sources.ensure(**data, now=self.now)

    @action(detail=True, methods=["post"], url_path="turn-identity-secret")
    def turn_identity_secret(self, request: Request, pk: str) -> Response:
        """A new secret to sign visitors with; the former one is good for a day more."""
        return self.answer(
            identity_secrets.turn(source=self.load(lock=False), actor=self.actor, now=self.now)
        )

    @action(detail=True, methods=["post"], url_path="require-proof")
    def require_proof(self, request: Request, pk: str) -> Response:
        """Whether calls from pages that name somebody need a proof."""
        source = identity_secrets.demand(
            source=self.load(lock=False), **self.valid(), actor=self.actor, now=self.now
        )
        return self.answer(self.visible().get(pk=source.pk))

    @action(detail=True, methods=["post"], url_path="give-up-identity-secret")
    def give_up_identity_secret(self, request: Request, pk: str) -> Response:
        """Forget the secret: pages are believed as before."""
        source = identity_secrets.give_up(source=self.load(lock=False), actor=self.actor, now=self.now)
        return self.answer(self.visible().get(pk=source.pk))


class WriteKeyOut(ModelOut[WriteKey]):
    """A key; ``public_key`` is the whole of a browser key and "" for a server key, which is a secret."""

    source = serializers.CharField(source="source.code")
    last_seen_at = serializers.DateTimeField(source="use.last_seen_at", default=None, allow_null=True)

    class Meta:
        model = WriteKey
        fields = (
            "id", "source", "name", "kind", "public_key", "prefix", "origins", "per_minute",
            "consent_category", "last_seen_at", "revoked_at", "created_at", "updated_at",
        )  # fmt: skip


class WriteKeyPatch(serializers.Serializer[Any]):
    """What can be edited. ``origins`` such as ``https://www.example.com`` or ``https://*.example.com``."""

    name = serializers.CharField(max_length=120, required=False)
    origins = serializers.ListField(
        child=serializers.CharField(max_length=255), max_length=50, required=False
    )
    per_minute = serializers.IntegerField(min_value=1, max_value=write_keys.MAX_PER_MINUTE, required=False)
    consent_category = serializers.CharField(max_length=60, required=False, allow_blank=True)


class WriteKeyIn(WriteKeyPatch):
    """A new key of a source."""

    source = Code(Source)
    name = serializers.CharField(max_length=120)
    kind = serializers.ChoiceField(choices=KeyKind.choices)


class IssuedKeyOut(serializers.Serializer[Any]):
    """A key with its whole text; that of a server key is shown this once."""

    key = WriteKeyOut()
    text = serializers.CharField()


class WriteKeyResource(Listable, Retrievable, Updatable, Resource):
    """Keys by which senders of events name themselves."""

    model = WriteKey
    capabilities = dict.fromkeys(
        ("list", "retrieve", "create", "partial_update", "revoke", "restore"), C.MANAGE_KEYS
    )
    output = WriteKeyOut
    inputs = {"create": WriteKeyIn, "partial_update": WriteKeyPatch}
    outputs = {"create": IssuedKeyOut}
    secret_actions = frozenset({"create"})
    filterset_class = KeyFilter
    ordering_fields = {"id": "pk", "name": "name"}
    ordering_default = ("id",)

    def visible(self) -> QuerySet[WriteKey]:
        return reads.visible_to(self.actor)

    def create(self, request: Request) -> Response:
        """Make a key: 201 with its text."""
        issued = write_keys.issue(**self.valid(), actor=self.actor, now=self.now)
        response = self.answer(issued, status=201)
        response["Location"] = f"{request.path}/{issued.key.pk}"
        return response

    def change(self, obj: WriteKey, data: dict[str, Any]) -> WriteKey:
        present = {name: getattr(obj, name) for name in ("name", "origins", "per_minute", "consent_category")}
        return write_keys.change(key=obj, **{**present, **data}, actor=self.actor, now=self.now)

    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str) -> Response:
        """Take no more events with this key; web processes hear of it within a second."""
        return self.answer(write_keys.revoke(key=self.load(), actor=self.actor, now=self.now))

    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: str) -> Response:
        """Take events with this key again."""
        return self.answer(write_keys.restore(key=self.load(), actor=self.actor, now=self.now))


class DeadLetterOut(ModelOut[DeadLetter]):
    """A message that could not be applied in five attempts, whole."""

    class Meta:
        model = DeadLetter
        fields = (
            "id", "message_id", "source_id", "body", "attempts", "error", "received_at", "created_at",
            "discarded_at",
        )  # fmt: skip


class DeadLetterResource(Listable, Retrievable, Resource):
    """Messages that could not be applied."""

    model = DeadLetter
    capabilities = dict.fromkeys(("list", "retrieve", "replay", "discard"), C.MANAGE_KEYS)
    output = DeadLetterOut
    filterset_class = DeadLetterFilter
    ordering_fields = {"created": "created_at"}
    ordering_default = ("-created",)

    def visible(self) -> QuerySet[DeadLetter]:
        return reads.dead_letters(self.actor)

    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: str) -> Response:
        """Put it back with five fresh attempts; 204, for it is no dead letter any more."""
        dead_letters.replay(ids=[self.load().pk], actor=self.actor, now=self.now)
        return Response(status=204)

    @action(detail=True, methods=["post"])
    def discard(self, request: Request, pk: str) -> Response:
        """Set it aside; it is kept."""
        obj = self.load()
        dead_letters.discard(ids=[obj.pk], actor=self.actor, now=self.now)
        return self.answer(self.load())
