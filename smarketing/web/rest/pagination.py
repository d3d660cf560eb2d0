"""Lists by keyset: ``{results, next, previous}`` and a ``Link`` header (RFC 8288)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from smarketing.core.errors import FieldError
from smarketing.web import keyset
from smarketing.web.rest.parameters import BadParameter

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


class KeysetPagination(BasePagination):
    """``limit`` (1–200) and the opaque ``cursor``; the order comes from the view's allow-list."""

    page: keyset.Page[Any]
    request: Request

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        """The rows of the page. Raises :class:`BadParameter`, ``keyset.BadCursor``."""
        self.request = request
        self.page = keyset.paginate(
            queryset,
            ordering=view.ordering_paths() if view is not None else ("pk",),  # type: ignore[attr-defined]
            cursor=request.query_params.get("cursor") or None,
            limit=_limit(request),
        )
        return self.page.rows

    def get_paginated_response(self, data: Any) -> Response:
        """The body and the ``Link`` header."""
        links = {"next": self._address(self.page.next), "prev": self._address(self.page.previous)}
        headers = {}
        if any(links.values()):
            headers["Link"] = ", ".join(f'<{url}>; rel="{rel}"' for rel, url in links.items() if url)
        body = {"results": data, "next": links["next"], "previous": links["prev"]}
        return Response(body, headers=headers)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """How the body looks in the OpenAPI document."""
        address = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {
                "results": schema,
                "next": {**address, "description": "Address of the next page, or null."},
                "previous": {**address, "description": "Address of the page before, or null."},
            },
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """``limit`` and ``cursor`` for the OpenAPI document."""
        limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
        return [
            {"name": "limit", "in": "query", "required": False, "schema": limit},
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "Opaque; taken from `next` or `previous`.",
                "schema": {"type": "string"},
            },
        ]

    def _address(self, cursor: str | None) -> str | None:
        """Built from SITE_URL, never from the Host header."""
        if cursor is None:
            return None
        query = [(k, v) for k, values in self.request.query_params.lists() for v in values if k != "cursor"]
        return f"{settings.SITE_URL}{self.request.path}?{urlencode([*query, ('cursor', cursor)])}"


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MAX_LIMIT):
        raise BadParameter(
            f"limit is a whole number from 1 to {MAX_LIMIT}.",
            errors=[FieldError("limit", "invalid", f"Choose 1 to {MAX_LIMIT}.")],
        )
    return int(text)
