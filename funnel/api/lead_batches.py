"""``/api/v1/leads/bulk``: up to a thousand leads at once, each stored or refused by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import Any

from django.db import DataError, IntegrityError, transaction
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from funnel.api.lead_inputs import BulkIn, LeadIn, capture_of, pointing_into
from funnel.api.lead_outputs import BulkOut
from leads.models import Lead
from leads.services import leads as service
from smarketing.core.errors import DomainError, FieldError, Invalid
from smarketing.users.domain.roles import Capability as C
from smarketing.web import problems
from smarketing.web.rest import errors, members
from smarketing.web.rest.views import Resource

CREATED, FOUND, REFUSED = "created", "found", "refused"


class LeadBatchResource(Resource):
    """Many leads in one transaction: a row that is refused leaves nothing behind, the others stay.

    Rows are stored one after the other, so a person who comes twice is found the second time.
    """

    model = Lead
    capabilities = {"create": C.EDIT_LEADS}
    output = BulkOut
    inputs = {"create": BulkIn}
    finds_stored = True
    max_body_bytes = 4 * 1024 * 1024
    max_json_nodes = 60_000

    def visible(self) -> QuerySet[Lead]:
        return Lead.objects.visible_to(self.actor)

    def create(self, request: Request) -> Response:
        """Store the rows: 201 when any lead is new, else 200."""
        results = [self._stored(number, row) for number, row in enumerate(self.valid()["rows"])]
        counts = Counter(result["status"] for result in results)
        body = {status: counts[status] for status in (CREATED, FOUND, REFUSED)} | {"results": results}
        return self.answer(body, status=201 if counts[CREATED] else 200)

    def _stored(self, number: int, row: Any) -> dict[str, Any]:
        try:
            with transaction.atomic():
                captured = self._captured(row)
        except serializers.ValidationError as error:
            return _refused(
                number, "Some of the members can't be used.", [*errors.field_errors(error.detail)]
            )
        except (DomainError, DataError, IntegrityError) as error:
            problem = problems.of(error)
            if problem is None:
                raise
            return _refused(number, problem.detail, problem.errors)
        status = CREATED if captured.created else FOUND
        return {"row": number, "status": status, "id": captured.lead.pk, "detail": "", "errors": []}

    def _captured(self, row: Any) -> service.Captured:
        serializer = LeadIn(data=row, context=self.get_serializer_context())
        unknown = list(islice(members.unknown(serializer, row), 20))
        if unknown:
            raise Invalid("The row has members that are unknown here.", errors=unknown)
        serializer.is_valid(raise_exception=True)
        data = dict(serializer.validated_data)
        with pointing_into(data):
            return service.capture(**capture_of(data, now=self.now), actor=self.actor, now=self.now)


def _refused(number: int, detail: str, wrong: Sequence[FieldError]) -> dict[str, Any]:
    told = [{"pointer": problems.pointer(e.field), "code": e.code, "detail": e.detail} for e in wrong]
    return {"row": number, "status": REFUSED, "id": None, "detail": detail, "errors": told}
