"""``/api/v1/definitions``: the versions of what a qualified lead is, drawn up, discussed and proposed.

A signature is a person's, who says again who they are: by password, here as on the pages.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters import filters
from django_filters.filterset import FilterSet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from funnel.domain.definitions import TEMPLATES
from funnel.models import DefinitionComment, DefinitionSignature, DefinitionState, DefinitionVersion
from funnel.selectors import (
    definition_changes,
    definition_prose,
    definition_reach,
    definition_texts,
    definitions,
)
from funnel.services import definition_comments
from funnel.services import definitions as services
from smarketing.core.errors import Missing
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import ModelOut, NamedOut
from smarketing.web.rest.signing import Signable, SignIn
from smarketing.web.rest.views import Creatable, Deletable, Listable, Resource, Retrievable, Updatable


class DefinitionSignatureOut(ModelOut[DefinitionSignature]):
    """One side's signature over ``digest``."""

    signer = NamedOut(read_only=True)

    class Meta:
        model = DefinitionSignature
        fields = ("side", "signer", "digest", "signed_at")


class DefinitionOut(ModelOut[DefinitionVersion]):
    """A version; both sides sign its ``digest``."""

    author = NamedOut(read_only=True, allow_null=True)
    signatures = DefinitionSignatureOut(many=True, read_only=True)

    class Meta:
        model = DefinitionVersion
        fields: tuple[str, ...] = (
            "number", "name", "state", "digest", "author", "in_force_from", "retired_at", "signatures",
            "created_at", "updated_at", "version",
        )  # fmt: skip


class DefinitionSentencesOut(serializers.Serializer[Any]):
    """The document in words, part by part."""

    fit = serializers.ListField(child=serializers.CharField())
    interest = serializers.ListField(child=serializers.CharField())
    bands = serializers.ListField(child=serializers.CharField())
    cells = serializers.ListField(child=serializers.CharField())
    minimum_information = serializers.ListField(child=serializers.CharField())
    exclusions = serializers.ListField(child=serializers.CharField())
    personas = serializers.ListField(child=serializers.CharField())
    effect = serializers.ListField(child=serializers.CharField())


class DefinitionDetailOut(DefinitionOut):
    """With its document (``body``) and the same in sentences."""

    body = serializers.DictField(read_only=True)
    sentences = serializers.SerializerMethodField()

    class Meta(DefinitionOut.Meta):
        fields = (*DefinitionOut.Meta.fields, "body", "sentences")

    @extend_schema_field(DefinitionSentencesOut)
    def get_sentences(self, version: DefinitionVersion) -> Any:
        """Made from the document, so that both say the same."""
        return DefinitionSentencesOut(definition_prose.sentences(definitions.rules_of(version))).data


class DefinitionDraftIn(serializers.Serializer[Any]):
    """What the draft begins as: what is in force, or a template; ``body`` gives a whole document instead."""

    base = serializers.ChoiceField(choices=["in_force", *TEMPLATES], required=False, default="in_force")
    body = serializers.DictField(required=False)
    name = serializers.CharField(max_length=120, required=False)


class DefinitionIn(serializers.Serializer[Any]):
    """What a draft is to say; the document is replaced as a whole."""

    body = serializers.DictField()
    name = serializers.CharField(max_length=120, required=False)


class DefinitionProposeIn(serializers.Serializer[Any]):
    """From which day it is to hold; null: as soon as both have signed. Left out: as the draft says."""

    effective_on = serializers.DateField(required=False, allow_null=True)


class DefinitionTakeBackIn(serializers.Serializer[Any]):
    """Nothing."""


class DefinitionCommentIn(serializers.Serializer[Any]):
    """A comment; ``part`` names what it is about."""

    text = serializers.CharField(max_length=definition_comments.LONGEST)
    part = serializers.ChoiceField(choices=list(definition_prose.PARTS), required=False, default="")


class DefinitionCommentOut(ModelOut[DefinitionComment]):
    """What somebody said about a version."""

    author = NamedOut(read_only=True)

    class Meta:
        model = DefinitionComment
        fields = ("id", "part", "author", "text", "created_at")


class DefinitionCommentsOut(serializers.Serializer[Any]):
    """What was said, oldest first."""

    results = DefinitionCommentOut(many=True)


class DefinitionChangeOut(serializers.Serializer[Any]):
    """One sentence that differs from the version before."""

    change = serializers.ChoiceField(choices=["added", "removed", "changed"])
    part = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()


class DefinitionChangesOut(serializers.Serializer[Any]):
    """All sentences that differ."""

    results = DefinitionChangeOut(many=True)


class DefinitionReachOut(serializers.Serializer[Any]):
    """Leads touched by each rule, in the document's order, among ``looked_at`` open leads."""

    looked_at = serializers.IntegerField()
    is_sample = serializers.BooleanField()
    behaving = serializers.IntegerField()
    fit = serializers.ListField(child=serializers.IntegerField())
    signals = serializers.ListField(child=serializers.IntegerField())
    exclusions = serializers.ListField(child=serializers.IntegerField())
    minimum_information = serializers.ListField(child=serializers.IntegerField())
    personas = serializers.ListField(child=serializers.IntegerField())
    ideal = serializers.IntegerField()
    bands = serializers.DictField(child=serializers.IntegerField())


class DefinitionFilter(FilterSet):
    """Versions by how far they came."""

    state = filters.MultipleChoiceFilter(choices=DefinitionState.choices, distinct=False)

    class Meta:
        model = DefinitionVersion
        fields = ("state",)


class DefinitionResource(Listable, Retrievable, Creatable, Updatable, Deletable, Signable, Resource):
    """Versions of the definition, by number; drafts only for those who may edit them."""

    model = DefinitionVersion
    capabilities = {
        "list": C.VIEW,
        "retrieve": C.VIEW,
        "current": C.VIEW,
        "create": C.EDIT_DEFINITION,
        "partial_update": C.EDIT_DEFINITION,
        "destroy": C.EDIT_DEFINITION,
        "propose": C.EDIT_DEFINITION,
        "sign": C.VIEW,
        "take_back": C.EDIT_DEFINITION,
        "reach": C.EDIT_DEFINITION,
        "changes": C.VIEW,
        "comments": C.VIEW,
        "comment": C.LOG_ACTIVITY,
    }
    output = DefinitionDetailOut
    outputs = {
        "list": DefinitionOut,
        "changes": DefinitionChangesOut,
        "comments": DefinitionCommentsOut,
        "comment": DefinitionCommentOut,
        "reach": DefinitionReachOut,
    }
    inputs = {
        "create": DefinitionDraftIn,
        "partial_update": DefinitionIn,
        "propose": DefinitionProposeIn,
        "sign": SignIn,
        "take_back": DefinitionTakeBackIn,
        "comment": DefinitionCommentIn,
    }
    secret_actions = frozenset({"sign"})
    filterset_class = DefinitionFilter
    lookup_field = "number"
    ordering_fields = {"number": "number"}
    ordering_default = ("-number",)

    def visible(self) -> QuerySet[DefinitionVersion]:
        found = definition_texts.versions()
        if self.actor.may(C.EDIT_DEFINITION):
            return found
        return found.exclude(state=DefinitionState.DRAFT)

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The version being drawn up, begun as told; 200 when there is one already."""
        told = self.valid()
        template = TEMPLATES.get(told.pop("base"))
        body = told.pop("body", None) or (template() if template else None)
        known = set(self.visible().values_list("pk", flat=True))
        made = services.create_draft(body=body, **told, actor=self.actor, now=self.now)
        response = self.answer(self._read(made), status=200 if made.pk in known else 201)
        response["Location"] = f"{request.path.rstrip('/')}/{made.number}"
        return response

    def change(self, obj: DefinitionVersion, data: dict[str, Any]) -> DefinitionVersion:
        """Replace the document; that clears the signatures."""
        return self._read(services.update_draft(definition=obj, **data, actor=self.actor, now=self.now))

    def remove(self, obj: DefinitionVersion) -> None:
        """Throw a draft or proposal away."""
        services.discard(definition=obj, actor=self.actor, now=self.now)

    def _read(self, version: DefinitionVersion) -> DefinitionVersion:
        return definition_texts.versions().get(pk=version.pk)

    @action(detail=False, methods=["get"])
    def current(self, request: Request) -> Response:
        """The version in force."""
        found = self.visible().filter(state=DefinitionState.IN_FORCE).first()
        if found is None:
            raise Missing("No definition is in force.")
        return self.answer(found)

    @action(detail=True, methods=["post"])
    def propose(self, request: Request, number: str) -> Response:
        """Ask both sides to sign the draft as it stands, and say from which day it is to hold."""
        made = services.propose(definition=self.load(), **self.valid(), actor=self.actor, now=self.now)
        return self.answer(self._read(made))

    @action(detail=True, methods=["post"])
    def sign(self, request: Request, number: str) -> Response:
        """Sign for the side of the token's user what carries the digest; with both signatures it holds."""
        found = self.load(lock=False)
        if services.side_of(signer=self.actor) is None:
            raise services.NotASigner(_("Only the managers of marketing and sales sign."))
        made = services.sign(definition=found, digest=self.proven_digest(), signer=self.actor, now=self.now)
        return self.answer(self._read(made))

    @action(detail=True, methods=["post"], url_path="take-back")
    def take_back(self, request: Request, number: str) -> Response:
        """Make a signed version that waits for its day a draft again."""
        self.valid()
        return self.answer(
            self._read(services.take_back(definition=self.load(), actor=self.actor, now=self.now))
        )

    @action(detail=True, methods=["get"])
    def reach(self, request: Request, number: str) -> Response:
        """How many open leads each rule touches, and over how many it was counted."""
        rules = definitions.rules_of(self.load(lock=False))
        return Response(DefinitionReachOut(definition_reach.of(rules, now=self.now)).data)

    @action(detail=True, methods=["get"])
    def changes(self, request: Request, number: str) -> Response:
        """What differs from the version before, sentence by sentence; what stayed is left out."""
        found = self.load(lock=False)
        former = definition_changes.former_of(found)
        told = definition_changes.changes(found, former) if former else []
        return Response(DefinitionChangesOut({"results": told}).data)

    @action(detail=True, methods=["get"])
    def comments(self, request: Request, number: str) -> Response:
        """What was said about the version, oldest first."""
        said = definition_changes.comments(self.load(lock=False))
        return Response(DefinitionCommentsOut({"results": said}).data)

    @action(detail=True, methods=["post"])
    def comment(self, request: Request, number: str) -> Response:
        """Say something about the version or one of its parts."""
        made = definition_comments.add(
            definition=self.load(lock=False), **self.valid(), author=self.actor, now=self.now
        )
        return Response(DefinitionCommentOut(made).data)
