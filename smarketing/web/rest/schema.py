"""How the OpenAPI document is written: separate inputs and outputs, problems, headers."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers


class ProblemErrorOut(serializers.Serializer[Any]):
    """One field that is wrong."""

    pointer = serializers.CharField(help_text="JSON pointer of the member, or the query parameter.")
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemOut(serializers.Serializer[Any]):
    """RFC 9457 problem details."""

    type = serializers.CharField(help_text="Stable: urn:smarketing:problem:<code>.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField()
    errors = ProblemErrorOut(many=True)  # type: ignore[assignment]


class BearerScheme(OpenApiAuthenticationExtension):
    """``Authorization: Bearer sm_…``."""

    target_class = "smarketing.web.rest.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A token from `manage.py token`."}


class SessionScheme(OpenApiAuthenticationExtension):
    """The session cookie of a signed-in page."""

    target_class = "smarketing.web.rest.authentication.PageSession"
    name = "session"
    priority = 1

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": "sid"}


_PROBLEMS = {
    400: "The request can't be read, or a query parameter is unknown.",
    401: "No valid token.",
    403: "The role or the token's scope does not allow this.",
    404: "No such object, or not visible to you.",
    429: "Too many requests; see Retry-After.",
    503: "A part is out of reach; see Retry-After.",
}
_UNSAFE_PROBLEMS = {
    409: "Not possible in the present state.",
    413: "The body is too large.",
    415: "The body is not application/json.",
    422: "Some members can't be used; see errors.",
}


class ResourceSchema(AutoSchema):
    """Reads ``inputs``, ``output`` and ``parameters`` of our resources."""

    def get_request_serializer(self) -> Any:
        inputs = getattr(self.view, "inputs", None)
        if inputs is None:
            return super().get_request_serializer()
        return inputs.get(getattr(self.view, "action", None))

    def get_response_serializers(self) -> Any:
        output = getattr(self.view, "output", None)
        if output is None:
            return super().get_response_serializers()
        action = getattr(self.view, "action", None)
        outputs = getattr(self.view, "outputs", {})
        success = outputs.get(action, output)
        if action == "list":
            success = success(many=True)
        responses: dict[Any, Any] = {201 if action == "create" else 200: success}
        if action == "create" and getattr(self.view, "finds_stored", False):
            responses[200] = OpenApiResponse(success, description="It was stored before.")
        if action == "destroy":
            responses = {204: None}
        known = dict(_PROBLEMS)
        if self.method not in ("GET", "HEAD"):
            known |= _UNSAFE_PROBLEMS
        if self.method == "PATCH":
            known |= {412: "Somebody else changed it first.", 428: "If-Match is missing."}
        elif action in getattr(self.view, "stale_actions", ()):
            known |= {412: "Somebody else changed it first."}
        for status, text in known.items():
            responses[(status, "application/problem+json")] = OpenApiResponse(ProblemOut, description=text)
        return responses

    def get_override_parameters(self) -> list[Any]:
        found: list[OpenApiParameter] = []
        if getattr(self.view, "detail", False):
            found.append(OpenApiParameter("id", int, "path"))
        if self.method == "POST":
            found.append(
                OpenApiParameter(
                    "Idempotency-Key", str, "header", description="Repeats get the first answer."
                )
            )
        if self.method == "PATCH":
            found.append(OpenApiParameter("If-Match", str, "header", required=True, description="The ETag."))
        action = getattr(self.view, "action", None)
        ordering = getattr(self.view, "ordering_fields", {})
        if action == "list" and ordering:
            names = ", ".join(sorted(ordering))
            found.append(
                OpenApiParameter(
                    "ordering", str, "query", description=f"Up to three of {names}; “-” turns it."
                )
            )
        if action == "list" and getattr(self.view, "searchable", False):
            found.append(OpenApiParameter("search", OpenApiTypes.STR, "query"))
        for name in getattr(self.view, "parameters", {}).get(action, ()):
            found.append(OpenApiParameter(name, OpenApiTypes.STR, "query"))
        return found
