"""``/api/v1/imports``: files taken in step by step, in the background, and taken back."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from leads.api.uploads import PARSERS
from leads.forms.filters import ImportFilter
from leads.models import ImportRun
from leads.selectors import import_changes, imports
from leads.services.imports import asking, faults, files, kinds, uploads
from smarketing.core.errors import FieldError, Invalid
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import ModelOut
from smarketing.web.rest.parsers import StrictJSONParser
from smarketing.web.rest.views import Deletable, Listable, Resource, Retrievable

_FAULTS = 200
_WHAT = {"updated": import_changes.updated, "created": import_changes.created}
_THEN = ("", "check", "import")


class ImportOut(ModelOut[ImportRun]):
    """A run: its state, how far it is, what it would do (``check_report``) and what it did.

    ``columns`` says what each column is taken as: a field, "+" for a custom attribute, "-" for
    left out.
    """

    source = serializers.CharField(source="source.code", read_only=True)
    actor = serializers.IntegerField(source="actor_id", read_only=True, allow_null=True)
    undone_by = serializers.IntegerField(source="undone_by_id", read_only=True, allow_null=True)
    columns = serializers.SerializerMethodField()
    header = serializers.ListField(child=serializers.CharField(), read_only=True)
    sheets = serializers.ListField(child=serializers.CharField(), read_only=True)
    notes = serializers.ListField(child=serializers.CharField(), read_only=True)
    check_report = serializers.DictField(read_only=True, allow_null=True)
    undo_report = serializers.DictField(read_only=True, allow_null=True)

    class Meta:
        model = ImportRun
        fields = (
            "id", "kind", "source", "file_name", "file_size", "state", "header", "sheets", "columns",
            "rows_total", "rows_read", "created_count", "updated_count", "unchanged_count", "rejected_count",
            "problem", "notes", "check_report", "undo_report", "actor", "started_at", "finished_at",
            "undone_at", "undone_by",
        )  # fmt: skip

    def get_columns(self, run: ImportRun) -> dict[str, str]:
        """Column → what it is taken as; empty while nobody has said."""
        return dict(run.choices.get("columns", {}))


class UploadIn(serializers.Serializer[Any]):
    """A file in a form. ``then`` is "check" (a dry run) or "import" (at once, columns as recognised)."""

    kind = serializers.CharField(max_length=20)
    source = serializers.CharField(max_length=60)
    file = serializers.FileField()
    then = serializers.ChoiceField(choices=_THEN, required=False)


class ReadingIn(serializers.Serializer[Any]):
    """How the bytes become cells; null is recognised."""

    encoding = serializers.CharField(max_length=30, required=False, allow_null=True)
    delimiter = serializers.CharField(max_length=1, required=False, allow_null=True, trim_whitespace=False)
    sheet = serializers.CharField(max_length=255, required=False, allow_null=True)


class ColumnsIn(serializers.Serializer[Any]):
    """What the columns are. A column that is not named is taken as its name suggests."""

    columns = serializers.DictField(child=serializers.CharField(max_length=60, allow_blank=True))
    key = serializers.ChoiceField(choices=("external_id", "email"), required=False)
    dates = serializers.ChoiceField(choices=("", "dmy", "mdy"), required=False)
    zone = serializers.CharField(max_length=60, required=False, allow_blank=True)
    create_missing = serializers.BooleanField(required=False)


class CorrectionIn(serializers.Serializer[Any]):
    """A cell put right, or a row left out (``is_out``)."""

    row = serializers.IntegerField(min_value=2, max_value=2**31 - 1)
    column = serializers.CharField(max_length=500, required=False)
    text = serializers.CharField(max_length=4_000, required=False, allow_blank=True, trim_whitespace=False)
    is_out = serializers.BooleanField(required=False)


class FaultOut(serializers.Serializer[Any]):
    """One cell or row that can't be used; rows are counted as in a spreadsheet."""

    row = serializers.IntegerField()
    line = serializers.IntegerField()
    column = serializers.CharField()
    reason = serializers.CharField()


class FaultsOut(serializers.Serializer[Any]):
    """Faults in the order of the rows; ``next`` is the ``after`` of the next page."""

    results = FaultOut(many=True)
    next = serializers.IntegerField(allow_null=True)


class ChangedOut(serializers.Serializer[Any]):
    """One record: the columns that the import changed, before and after; null for one that it made."""

    id = serializers.IntegerField()
    before = serializers.DictField(allow_null=True)
    after = serializers.DictField(allow_null=True)


class ImportChangesOut(serializers.Serializer[Any]):
    """Records by their ids; ``next`` is the ``after`` of the next page."""

    results = ChangedOut(many=True)
    next = serializers.IntegerField(allow_null=True)


class NothingIn(serializers.Serializer[Any]):
    """No members."""


_QUERY = [
    OpenApiParameter("kind", str, "query", description="What the file holds, where the body is the file."),
    OpenApiParameter("source", str, "query", description="The system it comes from."),
    OpenApiParameter("file_name", str, "query"),
    OpenApiParameter("then", str, "query", enum=[word for word in _THEN if word]),
]


class ImportResource(Listable, Retrievable, Deletable, Resource):
    """Runs of the import. A run is carried out in the background: ask for it until it is done."""

    model = ImportRun
    capabilities = dict.fromkeys(
        (
            "list", "retrieve", "create", "destroy", "read", "columns", "correct", "check", "start", "cancel",
            "undo", "errors", "changes",
        ),
        C.IMPORT,
    )  # fmt: skip
    output = ImportOut
    outputs = {"errors": FaultsOut, "changes": ImportChangesOut}
    inputs = {
        "create": UploadIn,
        "read": ReadingIn,
        "columns": ColumnsIn,
        "correct": CorrectionIn,
        "check": NothingIn,
        "start": NothingIn,
        "cancel": NothingIn,
        "undo": NothingIn,
    }
    parameters = {
        "create": ("kind", "source", "file_name", "then"),
        "errors": ("after", "limit"),
        "changes": ("kind", "what", "after", "limit"),
    }
    filterset_class = ImportFilter
    ordering_fields = {"started_at": "started_at", "id": "pk"}
    ordering_default = ("-id",)

    def visible(self) -> QuerySet[ImportRun]:
        return imports.listed(self.actor)

    def get_parsers(self) -> list[BaseParser]:
        handler = (
            getattr(self, "action_map", {}).get((self.request.method or "").lower()) if self.request else ""
        )
        return [parser() for parser in (PARSERS if handler == "create" else (StrictJSONParser,))]

    def claimed_body(self, request: Request) -> bytes:
        """A file is not read twice: its length and the parameters tell two uploads apart."""
        if self.action != "create":
            return super().claimed_body(request)
        return str(request.headers.get("Content-Length", "")).encode()

    @extend_schema(
        parameters=_QUERY,
        request={
            "multipart/form-data": UploadIn,
            "text/csv": OpenApiTypes.BINARY,
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": OpenApiTypes.BINARY,
        },
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Send a file: in a form, or as the body with kind and source in the address."""
        sent = request.data if isinstance(request.data, dict) else {}
        given = {**request.query_params.dict(), **{name: sent.get(name) for name in sent}}
        file, then = given.get("file"), given.get("then") or ""
        wrong = [FieldError(n, "required", "This is needed.") for n in ("kind", "source") if not given.get(n)]
        if not hasattr(file, "chunks"):
            wrong.append(FieldError("file", "required", "Send the file."))
        if then not in _THEN:
            wrong.append(FieldError("then", "unknown", "Choose check or import, or leave it out."))
        if wrong:
            raise Invalid("The upload lacks something.", errors=wrong)
        run = uploads.receive(
            chunks=file.chunks(),  # type: ignore[union-attr]
            file_name=str(given.get("file_name") or getattr(file, "name", "") or "file"),
            kind=str(given["kind"]),
            source=str(given["source"]),
            actor=self.actor,
            now=self.now,
        )
        run = self._go_on(run, then)
        response = self.answer(run, status=201)
        response["Location"] = f"{request.path.rstrip('/')}/{run.pk}"
        return response

    def remove(self, obj: ImportRun) -> None:
        """Throw an upload away that was never taken in."""
        asking.discard(run=obj, actor=self.actor, now=self.now)

    @action(detail=True, methods=["post"])
    def read(self, request: Request, pk: str) -> Response:
        """Choose encoding, delimiter or sheet."""
        given = {"encoding": None, "delimiter": None, "sheet": None, **self.valid()}
        return self.answer(uploads.read_as(run=self.load(lock=False), **given, now=self.now))

    @action(detail=True, methods=["post"])
    def columns(self, request: Request, pk: str) -> Response:
        """Say what the columns are."""
        run, given = self.load(lock=False), self.valid()
        unknown = [name for name in given["columns"] if name not in run.header]
        if unknown:
            raise Invalid(
                "The file has no such column.",
                errors=[FieldError(f"columns.{n[:100]}", "unknown", "No such column.") for n in unknown[:20]],
            )
        given["columns"] = {**uploads.guess(run=run), **given["columns"]}
        return self.answer(uploads.map_columns(run=run, **given, now=self.now))

    @action(detail=True, methods=["post"])
    def correct(self, request: Request, pk: str) -> Response:
        """Put a cell right or leave a row out; the file stays as it is."""
        run, given = self.load(lock=False), self.valid()
        row = given["row"]
        if "is_out" in given:
            return self.answer(uploads.leave_out(run=run, row=row, is_out=given["is_out"], now=self.now))
        if given.get("column") not in run.header:
            detail = "The file has no such column."
            raise Invalid(detail, errors=[FieldError("column", "unknown", detail)])
        position = run.header.index(given["column"])
        text = given.get("text", "")
        return self.answer(uploads.correct(run=run, row=row, position=position, text=text, now=self.now))

    @action(detail=True, methods=["post"])
    def check(self, request: Request, pk: str) -> Response:
        """Have a dry run made; ``check_report`` is there when the state is "checked"."""
        return self.answer(self._go_on(self.load(lock=False), "check"))

    @action(detail=True, methods=["post"])
    def start(self, request: Request, pk: str) -> Response:
        """Have the file taken in, checked or not."""
        return self.answer(self._go_on(self.load(lock=False), "import"))

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop a check or an import that is due or under way; nothing of it is kept."""
        return self.answer(asking.cancel(run=self.load(lock=False), now=self.now))

    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: str) -> Response:
        """Take the import back; ``undo_report`` says what went, what was restored and what stays."""
        run = self.load(lock=False)
        kinds.check(name=run.kind, user=self.actor)
        return self.answer(asking.undo(run=run, actor=self.actor, now=self.now))

    @action(detail=True, methods=["get"])
    def errors(self, request: Request, pk: str) -> Response:
        """All faults of the last check or run, a page at a time."""
        run: ImportRun = self.load()
        after, limit = (self._number(name, most) for name, most in (("after", 10**9), ("limit", _FAULTS)))
        found, following = faults.page(run=run, after=after or 0, limit=limit or _FAULTS)
        return Response(FaultsOut({"results": found, "next": following}).data)

    @extend_schema(
        parameters=[
            OpenApiParameter("kind", str, "query", enum=list(import_changes.KINDS), description="lead"),
            OpenApiParameter("what", str, "query", enum=list(_WHAT), description="updated"),
            OpenApiParameter("after", int, "query"),
            OpenApiParameter("limit", int, "query", description=f"at most {_FAULTS}"),
        ]
    )
    @action(detail=True, methods=["get"])
    def changes(self, request: Request, pk: str) -> Response:
        """The records that the run has brought up to date, or made (``what=created``), a page at a time."""
        run: ImportRun = self.load()
        kind, what = request.query_params.get("kind", "lead"), request.query_params.get("what", "updated")
        wrong = [
            FieldError(name, "unknown", f"Choose one of: {', '.join(known)}.")
            for name, given, known in (("kind", kind, import_changes.KINDS), ("what", what, _WHAT))
            if given not in known
        ]
        if wrong:
            raise Invalid("There is no such list of changes.", errors=wrong)
        after = self._number("after", 2**63 - 1) or 0
        limit = self._number("limit", _FAULTS) or _FAULTS
        found = _WHAT[what](run=run, kind=kind, after=after, limit=limit)
        following = found[-1]["id"] if len(found) == limit else None
        return Response(ImportChangesOut({"results": found, "next": following}).data)

    def _go_on(self, run: ImportRun, then: str) -> ImportRun:
        """What follows; where the columns were not named, they are taken as recognised."""
        kinds.check(name=run.kind, user=self.actor)
        try:
            if then and run.state in uploads.OPEN and not run.choices.get("columns"):
                run = uploads.take_guess(run=run, now=self.now)
            if then == "check":
                return asking.check(run=run, now=self.now)
            if then == "import":
                return asking.start(run=run, actor=self.actor, unchecked=True, now=self.now)
        except BaseException:
            if self.action == "create":
                files.remove(name=run.stored_file)
            raise
        return run

    def _number(self, name: str, most: int) -> int:
        told = self.request.query_params.get(name, "0")
        if not (told.isascii() and told.isdigit() and len(told) <= 19 and int(told) <= most):
            detail = f"A whole number up to {most}."
            raise Invalid(detail, errors=[FieldError(name, "invalid", detail)])
        return int(told)
