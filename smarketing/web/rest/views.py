"""Bases of all resources: parse, load through the visible rows, call one service, render.

A domain app writes a class like::

    class CampaignResource(Listable, Retrievable, Creatable, Updatable, Resource):
        model = Campaign
        capabilities = {"list": C.VIEW, "retrieve": C.VIEW, "create": C.EDIT_CAMPAIGNS, …}
        output = CampaignOut
        inputs = {"create": CampaignIn, "partial_update": CampaignPatch}

and supplies ``visible``, ``make`` and ``change``. docs/contributing/rest.md is the guide.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache, cached_property
from itertools import islice
from typing import Any, ClassVar

from django.db import DatabaseError, transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from smarketing.core import clock, locks
from smarketing.core.errors import FieldError, Invalid, Missing
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User
from smarketing.users.services import idempotency
from smarketing.web.rest import concurrency, members, readers, throttling
from smarketing.web.rest.parameters import MAX_SEARCH, BadParameter, check_known

_KEY_MAX = 255


class _Replayed(Exception):
    """The same POST was answered before; carries that answer."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__()
        self.response = response


class Resource(GenericViewSet[Any]):
    """One noun of the API. Everything is denied until ``capabilities`` names it.

    An unsafe request is one transaction: an answer of 400 or more has changed nothing.
    """

    model: ClassVar[type[Model]]  # tells the OpenAPI document what the ids are
    capabilities: ClassVar[Mapping[str, Capability]] = {}
    output: ClassVar[type[BaseSerializer[Any]]]
    outputs: ClassVar[Mapping[str, type[BaseSerializer[Any]]]] = {}  # action → another output
    inputs: ClassVar[Mapping[str, type[BaseSerializer[Any]]]] = {}  # action → input
    ordering_fields: ClassVar[Mapping[str, str | tuple[str, ...]]] = {}  # public name → column(s)
    ordering_default: ClassVar[Sequence[str]] = ()  # public names, "-" for descending; then the id
    searchable: ClassVar[bool] = False  # then ``search`` must be supplied
    parameters: ClassVar[Mapping[str, Sequence[str]]] = {}  # action → further query parameters
    lookup_value_regex = r"[0-9]{1,18}"
    finds_stored: ClassVar[bool] = False  # create answers 200 for what was stored before; see is_new
    secret_actions: ClassVar[frozenset[str]] = frozenset()  # a secret goes in or out: never kept for a replay
    stale_actions: ClassVar[frozenset[str]] = frozenset()  # their body names a version: 412 for a former one
    max_body_bytes: ClassVar[int] = 1024 * 1024
    max_json_nodes: ClassVar[int] = 2_000
    _claim: idempotency.Claim | None = None

    # --- what a resource supplies ----------------------------------------------------------------
    def visible(self) -> QuerySet[Any]:
        """The rows the actor may see; the only door to objects (T10)."""
        raise NotImplementedError

    def search(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        """Narrow ``queryset`` by the words of ``?search=``."""
        raise NotImplementedError

    def version_of(self, obj: Any) -> int | str | None:
        """What the object's ETag is made of; ``None`` for one that is not edited."""
        version: int | str | None = getattr(obj, "version", None)
        return version

    def claimed_body(self, request: Request) -> bytes:
        """What tells two bodies under one ``Idempotency-Key`` apart; a body that streams has its own way."""
        return request._request.body

    # --- what a resource uses --------------------------------------------------------------------
    @property
    def actor(self) -> User:
        """Who asks."""
        user = self.request.user
        if not isinstance(user, User):
            raise Missing("Nobody is signed in.")
        return user

    @cached_property
    def now(self) -> datetime:
        """The instant of this request, read once."""
        return clock.now()

    def load(self, *, match: bool = False, lock: bool = True) -> Any:
        """The object of the address, or 404. Locked for an unsafe request.

        ``match`` demands ``If-Match`` (428 without); when it is sent it is always compared (412).
        ``lock=False`` is for a service whose order of locks begins with another row.
        """
        queryset = self.visible()
        unsafe = self.request.method not in SAFE_METHODS
        found = queryset.filter(**{self.lookup_field: self.kwargs[self.lookup_field]}).first()
        if unsafe and lock and found is not None:
            found = next(iter(locks.rows(queryset, [found.pk])), None)
        if found is None:
            raise Missing("There is no such object, or you may not see it.")
        if unsafe:
            concurrency.check_match(self.request, self.version_of(found), required=match)
        return found

    def valid(self, *, partial: bool = False) -> dict[str, Any]:
        """The validated body for this action's input serializer; unknown members are refused."""
        serializer_class = self.inputs[self.action or ""]
        data = self.request.data
        if not isinstance(data, dict):
            raise Invalid("The body has to be a JSON object.")
        with readers.reader(serializer_class, self.get_serializer_context(), partial=partial) as serializer:
            unknown = list(islice(members.unknown(serializer, data), 20))
            if unknown:
                raise Invalid(
                    "The body has members that are unknown here or can't be written.", errors=unknown
                )
            return dict(serializer.run_validation(data))

    def answer(self, obj: Any, *, status: int = 200) -> Response:
        """``obj`` through this action's output serializer, with its ETag."""
        output = self.outputs.get(self.action or "", self.output)
        data = output(obj, context=self.get_serializer_context()).data
        tag = concurrency.etag(self.version_of(obj))
        return Response(data, status=status, headers={"ETag": tag} if tag else None)

    # --- wiring of the framework -----------------------------------------------------------------
    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return self.model._default_manager.none()
        return self.visible()

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        return self.inputs.get(self.action or "", self.output)

    def ordering_paths(self) -> tuple[str, ...]:
        """Columns to order by, from ``?ordering=`` through the allow-list (T3)."""
        sent = self.request.query_params.get("ordering")
        names = sent.split(",") if sent else list(self.ordering_default)
        paths: list[str] = []
        for name in names:
            columns = self.ordering_fields.get(name.removeprefix("-"))
            if columns is None or len(names) > 3:
                raise BadParameter(
                    "Order by up to three of: " + (", ".join(sorted(self.ordering_fields)) or "none"),
                    errors=[FieldError("ordering", "unknown", "Choose from the list; “-” turns it round.")],
                )
            sign = "-" if name.startswith("-") else ""
            paths += [sign + c for c in ((columns,) if isinstance(columns, str) else columns)]
        return tuple(paths) or ("pk",)

    def allowed_parameters(self) -> set[str]:
        """Names of the query parameters this action understands."""
        allowed = set(self.parameters.get(self.action or "", ()))
        if self.action == "list":
            allowed |= {"limit", "cursor"}
            if self.ordering_fields:
                allowed.add("ordering")
            if self.searchable:
                allowed.add("search")
            filterset = getattr(self, "filterset_class", None)
            if filterset is not None:
                allowed |= _parameter_names(filterset)
        return allowed

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action is not None:
            check_known(request, self.allowed_parameters())
        if request.method == "POST":
            self._claim_key(request)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """One transaction per unsafe request, rolled back when the answer is an error."""
        if request.method in SAFE_METHODS:
            response = super().dispatch(request, *args, **kwargs)
        else:
            try:
                with transaction.atomic():
                    response = super().dispatch(request, *args, **kwargs)
                    if response.status_code >= 400:
                        transaction.set_rollback(True)
                    elif self._claim is not None and isinstance(response, Response):
                        self._keep_answer(self._claim, response)
            except DatabaseError as error:  # a deferred constraint at commit, a lost connection
                if not hasattr(self, "headers"):
                    raise  # no transaction could begin, so nothing of the request was looked at yet
                failed = self.handle_exception(error)
                response = self.finalize_response(self.request, failed, *args, **kwargs)
        if isinstance(response, HttpResponse):
            throttling.add_headers(response, request)
            response.setdefault("Cache-Control", "no-store")
        return response

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, _Replayed):
            return exc.response  # type: ignore[return-value]
        return super().handle_exception(exc)

    # --- Idempotency-Key -------------------------------------------------------------------------
    def _claim_key(self, request: Request) -> None:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return
        if self.action in self.secret_actions:
            raise BadParameter("A secret is sent or answered, which is not kept: send no Idempotency-Key.")
        if not key or len(key) > _KEY_MAX or not key.isprintable():
            raise BadParameter(f"Idempotency-Key has 1 to {_KEY_MAX} printable characters.")
        plain = request._request
        parts = (plain.method or "", plain.get_full_path(), plain.headers.get("If-Match", ""))
        digest = hashlib.sha256("\n".join(parts).encode() + b"\n" + self.claimed_body(request)).digest()
        claim = idempotency.claim(user=self.actor, key=key, request_digest=digest, now=self.now)
        if claim.replay is not None:
            raise _Replayed(_replay(claim))
        self._claim = claim

    @staticmethod
    def _keep_answer(claim: idempotency.Claim, response: Response) -> None:
        response.render()
        kept = {name: response[name] for name in ("Location", "ETag", "Content-Type") if name in response}
        text = response.content.decode()
        idempotency.finish(claim=claim, status=response.status_code, response={"text": text, "headers": kept})


class Listable:
    """``GET /nouns``: filtered, ordered, paged."""

    def list(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Rows the actor may see, a page at a time."""
        queryset = self.filter_queryset(self.visible())
        text = request.query_params.get("search", "").strip()
        if self.searchable and text:
            if len(text) > MAX_SEARCH:
                raise BadParameter(f"search has at most {MAX_SEARCH} characters.")
            queryset = self.search(queryset, text)
        rows = self.paginate_queryset(queryset)
        output = self.outputs.get("list", self.output)
        data = output(rows, many=True, context=self.get_serializer_context()).data
        response: Response = self.get_paginated_response(data)
        return response


class Retrievable:
    """``GET /nouns/<id>``."""

    def retrieve(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One object."""
        response: Response = self.answer(self.load())
        return response


class Creatable:
    """``POST /nouns``; supply ``make(data)``, which calls one service and returns the object."""

    def make(self, data: dict[str, Any]) -> Any:
        """Call the service."""
        raise NotImplementedError

    def is_new(self, obj: Any) -> bool:
        """Whether ``make`` made it; a record that was stored before is answered with 200."""
        return True

    def create(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Make one object: 201 with its ``Location``."""
        obj = self.make(self.valid())
        response: Response = self.answer(obj, status=201 if self.is_new(obj) else 200)
        response["Location"] = f"{request.path.rstrip('/')}/{obj.pk}"
        return response


class Updatable:
    """``PATCH /nouns/<id>`` with ``If-Match``; supply ``change(obj, data)``."""

    def change(self, obj: Any, data: dict[str, Any]) -> Any:
        """Call the service; returns the changed object."""
        raise NotImplementedError

    def partial_update(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change the members that are sent."""
        obj = self.load(match=True)
        response: Response = self.answer(self.change(obj, self.valid(partial=True)))
        return response


class Deletable:
    """``DELETE /nouns/<id>``; supply ``remove(obj)``, which calls one service."""

    def remove(self, obj: Any) -> None:
        """Call the service."""
        raise NotImplementedError

    def destroy(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Remove it: 204."""
        self.remove(self.load())
        return Response(status=204)


def _replay(claim: idempotency.Claim) -> HttpResponse:
    kept = claim.replay or {}
    response = HttpResponse(kept.get("text", json.dumps(None)), status=claim.request.status or 200)
    for name, value in kept.get("headers", {}).items():
        response[name] = value
    response["Idempotent-Replayed"] = "true"
    return response


@cache
def _parameter_names(filterset: Any) -> frozenset[str]:
    """The declared filters; range and similar widgets read several parameters (``created_min``, …)."""
    names: set[str] = set(filterset.get_filters())
    for name, entry in filterset.get_filters().items():
        widget = entry.field.widget
        for suffix in getattr(widget, "suffixes", None) or ():
            names.add(f"{name}_{suffix}" if suffix else name)
    return frozenset(names)
