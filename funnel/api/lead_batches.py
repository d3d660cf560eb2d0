"""``/api/v1/leads/bulk``: up to a thousand leads at once, each stored or refused by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from funnel.api.lead_inputs import BulkIn, LeadIn, capture_of, placed
from funnel.api.lead_outputs import BulkOut
from leads.models import Lead, Source
from leads.services import batches as service
from leads.services.batches import CaptureInput, Outcome
from leads.services.leads import Captured
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
        results: dict[int, dict[str, Any]] = {}
        valid: list[tuple[int, dict[str, Any]]] = []
        known: dict[str, Source] = {}
        reader = LeadIn(context=self.get_serializer_context())
        for number, row in enumerate(self.valid()["rows"]):
            try:
                valid.append((number, _read(reader, row)))
            except serializers.ValidationError as error:
                wrong = [*errors.field_errors(error.detail)]
                results[number] = _refused(number, "Some of the members can't be used.", wrong)
            except DomainError as error:
                results[number] = _refused(number, error.detail, error.errors)
        rows = [CaptureInput(**capture_of(data, now=self.now, known=known)) for _, data in valid]
        outcomes = service.capture_many(rows=rows, actor=self.actor, now=self.now)
        for (number, data), outcome in zip(valid, outcomes, strict=True):
            results[number] = _told(number, data, outcome)
        counts = Counter(result["status"] for result in results.values())
        body = {status: counts[status] for status in (CREATED, FOUND, REFUSED)}
        body["results"] = [results[number] for number in sorted(results)]
        return self.answer(body, status=201 if counts[CREATED] else 200)


def _read(reader: LeadIn, row: Any) -> dict[str, Any]:
    """One row's body. Raises ``ValidationError`` or ``Invalid``."""
    unknown = list(islice(members.unknown(reader, row), 20))
    if unknown:
        raise Invalid("The row has members that are unknown here.", errors=unknown)
    return dict(reader.run_validation(row))


def _told(number: int, data: dict[str, Any], outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Captured):
        status = CREATED if outcome.created else FOUND
        return {"row": number, "status": status, "id": outcome.lead.pk, "detail": "", "errors": []}
    problem = problems.of(outcome)
    if problem is None:
        raise outcome
    return _refused(number, problem.detail, placed(problem.errors, data))


def _refused(number: int, detail: str, wrong: Sequence[FieldError]) -> dict[str, Any]:
    told = [{"pointer": problems.pointer(e.field), "code": e.code, "detail": e.detail} for e in wrong]
    return {"row": number, "status": REFUSED, "id": None, "detail": detail, "errors": told}
