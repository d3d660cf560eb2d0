"""What other records are told of a company or campaign, and ids of other systems."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from leads.models import Company, Source
from leads.services import sources
from smarketing.web.rest.fields import ModelOut


class CompanyBriefOut(ModelOut[Company]):
    """A company, told beside its people."""

    class Meta:
        model = Company
        fields = ("id", "name", "domain")


class RefIn(serializers.Serializer[Any]):
    """The id of the record in another system; ``source`` is that system's code."""

    source = serializers.SlugField(max_length=60)
    external_id = serializers.CharField(max_length=255)


def refs_of(given: Iterable[Mapping[str, str]], *, now: datetime) -> list[tuple[Source, str]]:
    """Ids with their sources; a source that is new is made."""
    return [(sources.of_program(code=ref["source"], now=now), ref["external_id"]) for ref in given]


def moved(request: Request, key: int) -> Response:
    """The record was merged into another: 301, with the address of the one that stands."""
    address = f"{request.path.rstrip('/').rpartition('/')[0]}/{key}"
    return Response({"merged_into": key}, status=301, headers={"Location": address})
