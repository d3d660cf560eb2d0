"""``/api/v1/agreements``: the versions of what both sides promised, drawn up and discussed.

A signature is a person's, who says again who they are: by password, here as on the pages.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from sla.models import AgreementComment, AgreementSignature, AgreementState, AgreementVersion, Clause
from sla.selectors import agreement_changes, agreements, prose
from sla.services import agreement_comments
from sla.services import agreements as services
from smarketing.core.errors import Missing
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import ModelOut, NamedOut
from smarketing.web.rest.signing import Signable, SignIn
from smarketing.web.rest.views import Creatable, Deletable, Listable, Resource, Retrievable, Updatable


class AgreementSignatureOut(ModelOut[AgreementSignature]):
    """One side's signature over ``digest``."""

    signer = NamedOut(read_only=True)

    class Meta:
        model = AgreementSignature
        fields = ("side", "signer", "digest", "signed_at")


class ClauseOut(ModelOut[Clause]):
    """One promise as data and in words; ``target`` is in the unit of its metric."""

    calendar = NamedOut(read_only=True, allow_null=True)
    accountable = NamedOut(read_only=True, allow_null=True)
    backup = NamedOut(read_only=True, allow_null=True)
    population = serializers.DictField(read_only=True)
    terms = serializers.DictField(read_only=True)
    sentence = serializers.SerializerMethodField()
    details = serializers.SerializerMethodField()

    class Meta:
        model = Clause
        fields = (
            "id", "position", "side", "metric", "comparator", "target", "period", "calendar", "population",
            "terms", "grace_seconds", "accountable", "backup", "sentence", "details",
        )  # fmt: skip

    def get_sentence(self, clause: Clause) -> str:
        """The promise in one sentence, made from the data."""
        return prose.sentence(clause)

    def get_details(self, clause: Clause) -> list[str]:
        """What else was agreed about it."""
        return prose.details(clause)


class AgreementOut(ModelOut[AgreementVersion]):
    """A version with its clauses; in force once both sides have signed its ``digest``."""

    name = serializers.CharField(source="agreement.name")
    author = NamedOut(read_only=True, allow_null=True)
    clauses = ClauseOut(many=True, read_only=True)
    annex = serializers.DictField(read_only=True)
    signatures = AgreementSignatureOut(many=True, read_only=True)

    class Meta:
        model = AgreementVersion
        fields = (
            "number", "name", "state", "digest", "author", "in_force_from", "retired_at", "clauses",
            "annex", "effective_on", "signatures", "created_at", "updated_at", "version",
        )  # fmt: skip


class AgreementIn(serializers.Serializer[Any]):
    """What a draft is to say; members that are not sent stay. Clauses are replaced as a whole."""

    clauses = serializers.ListField(child=serializers.DictField(), max_length=40, required=False)
    annex = serializers.DictField(required=False)
    effective_on = serializers.DateField(required=False, allow_null=True)


class DraftIn(serializers.Serializer[Any]):
    """What the draft begins as."""

    base = serializers.ChoiceField(choices=["in_force"])


class ProposeIn(serializers.Serializer[Any]):
    """Nothing."""


class CommentIn(serializers.Serializer[Any]):
    """A comment; ``position`` names the clause it is about."""

    text = serializers.CharField(max_length=agreement_comments.LONGEST)
    position = serializers.IntegerField(min_value=1, max_value=100, required=False, allow_null=True)


class CommentOut(ModelOut[AgreementComment]):
    """What somebody said about a version."""

    author = NamedOut(read_only=True)

    class Meta:
        model = AgreementComment
        fields = ("id", "position", "author", "text", "created_at")


class ChangeOut(serializers.Serializer[Any]):
    """One clause that differs from the version before."""

    change = serializers.ChoiceField(choices=["added", "removed", "changed"])
    metric = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()
    parts = serializers.ListField(child=serializers.CharField())


class ChangesOut(serializers.Serializer[Any]):
    """All clauses that differ."""

    results = ChangeOut(many=True)


class CommentsOut(serializers.Serializer[Any]):
    """What was said, oldest first."""

    results = CommentOut(many=True)


class AgreementFilter(FilterSet):
    """Versions by how far they came."""

    state = filters.MultipleChoiceFilter(choices=AgreementState.choices, distinct=False)

    class Meta:
        model = AgreementVersion
        fields = ("state",)


class AgreementResource(Listable, Retrievable, Creatable, Updatable, Deletable, Signable, Resource):
    """Versions of the agreement, by number; drafts only for those who may edit them."""

    model = AgreementVersion
    capabilities = {
        "list": C.VIEW,
        "retrieve": C.VIEW,
        "current": C.VIEW,
        "create": C.EDIT_AGREEMENT,
        "partial_update": C.EDIT_AGREEMENT,
        "destroy": C.EDIT_AGREEMENT,
        "propose": C.EDIT_AGREEMENT,
        "sign": C.VIEW,
        "changes": C.VIEW,
        "comments": C.VIEW,
        "comment": C.LOG_ACTIVITY,
    }
    output = AgreementOut
    outputs = {"changes": ChangesOut, "comments": CommentsOut, "comment": CommentOut}
    inputs = {
        "create": DraftIn,
        "partial_update": AgreementIn,
        "propose": ProposeIn,
        "sign": SignIn,
        "comment": CommentIn,
    }
    secret_actions = frozenset({"sign"})
    filterset_class = AgreementFilter
    lookup_field = "number"
    ordering_fields = {"number": "number"}
    ordering_default = ("-number",)

    def visible(self) -> QuerySet[Any]:
        found = agreements.versions()
        if self.actor.may(C.EDIT_AGREEMENT):
            return found
        return found.exclude(state=AgreementState.DRAFT)

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The version being drawn up, begun as what is in force; 200 when there is one already."""
        self.valid()
        known = set(self.visible().values_list("pk", flat=True))
        made = services.draft(actor=self.actor, now=self.now)
        response = self.answer(self._read(made), status=200 if made.pk in known else 201)
        response["Location"] = f"{request.path.rstrip('/')}/{made.number}"
        return response

    def change(self, obj: AgreementVersion, data: dict[str, Any]) -> AgreementVersion:
        return self._read(services.update(version=obj, **data, actor=self.actor, now=self.now))

    def remove(self, obj: AgreementVersion) -> None:
        services.discard(version=obj, actor=self.actor, now=self.now)

    @action(detail=False, methods=["get"])
    def current(self, request: Request) -> Response:
        """The version in force."""
        found = self.visible().filter(state=AgreementState.IN_FORCE).first()
        if found is None:
            raise Missing("Nothing has been agreed yet.")
        return self.answer(found)

    @action(detail=True, methods=["post"])
    def propose(self, request: Request, number: str) -> Response:
        """Ask both sides to sign the draft as it stands."""
        self.valid()
        made = services.propose(version=self.load(), actor=self.actor, now=self.now)
        return self.answer(self._read(made))

    @action(detail=True, methods=["post"])
    def sign(self, request: Request, number: str) -> Response:
        """Sign for the side of the token's user what carries the digest; with both signatures it holds."""
        found = self.load(lock=False)
        if services.side_of(signer=self.actor) is None:
            raise services.NotASigner("Only the managers of marketing and sales sign.")
        made = services.sign(version=found, digest=self.proven_digest(), signer=self.actor, now=self.now)
        return self.answer(self._read(made))

    @action(detail=True, methods=["get"])
    def changes(self, request: Request, number: str) -> Response:
        """What differs from the version before, clause by clause; what stayed is left out."""
        found = self.load(lock=False)
        former = agreement_changes.former_of(found)
        told = agreement_changes.changes(found, former) if former else []
        return Response(ChangesOut({"results": told}).data)

    @action(detail=True, methods=["get"])
    def comments(self, request: Request, number: str) -> Response:
        """What was said about the version, oldest first."""
        said = agreement_changes.comments(self.load(lock=False))
        return Response(CommentsOut({"results": said}).data)

    @action(detail=True, methods=["post"])
    def comment(self, request: Request, number: str) -> Response:
        """Say something about the version or one of its clauses."""
        made = agreement_comments.add(
            version=self.load(lock=False), **self.valid(), author=self.actor, now=self.now
        )
        return Response(CommentOut(made).data)

    def _read(self, version: AgreementVersion) -> AgreementVersion:
        return agreements.versions().get(pk=version.pk)
