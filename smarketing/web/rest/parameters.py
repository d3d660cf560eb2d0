"""Query parameters: only the known ones, in the known form (no oracle, no injection)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db.models import QuerySet
from django_filters.rest_framework.backends import DjangoFilterBackend
from rest_framework.request import Request
from rest_framework.views import APIView

from smarketing.core.errors import DomainError, FieldError

MAX_SEARCH = 200
# What a list understands without any filter.
OF_EVERY_LIST = frozenset({"limit", "cursor", "ordering", "search"})


class BadParameter(DomainError):
    """A query parameter is unknown or its value can't be used."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_parameter"
    title: ClassVar[str] = "A query parameter can't be used"


def check_known(request: Request, allowed: Iterable[str]) -> None:
    """Raise :class:`BadParameter` that names the allowed ones if any other was sent."""
    known = sorted(set(allowed))
    unknown = sorted(set(request.query_params) - set(known))
    if unknown:
        choice = ", ".join(known) or "none"
        raise BadParameter(
            f"Allowed here: {choice}.",
            errors=[FieldError(name[:60], "unknown", f"Allowed here: {choice}.") for name in unknown[:10]],
        )
    for name, values in request.query_params.lists():
        if any("\x00" in value for value in values):
            error = FieldError(name[:60], "nul_character", "Remove it.")
            raise BadParameter("A value holds the NUL character.", errors=[error])


def flag(request: Request, name: str) -> bool:
    """Whether ``?name=true`` was sent; "false" and nothing are no. Raises :class:`BadParameter`."""
    sent = request.query_params.get(name, "false")
    if sent not in ("true", "false"):
        raise BadParameter(
            f"{name} is true or false.", errors=[FieldError(name, "invalid", "Write true or false.")]
        )
    return sent == "true"


class StrictFilterBackend(DjangoFilterBackend):
    """Typed filter sets; a value that does not fit is a 400 which names the parameter."""

    raise_exception = False

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        if OF_EVERY_LIST.issuperset(request.query_params):
            return queryset  # nothing is asked of the filters, which cost more to set up than a page to read
        filterset = self.get_filterset(request, queryset, view)
        if filterset is None:
            return queryset
        if not filterset.is_valid():
            raise BadParameter(
                "A filter's value can't be used.",
                errors=[
                    FieldError(name, error["code"] or "invalid", error["message"])
                    for name, entries in filterset.errors.get_json_data().items()
                    for error in entries
                ],
            )
        filtered: QuerySet[Any] = filterset.qs
        return filtered
