"""The API tried against its own document: no 5xx, no undocumented status, no answer of another form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
import yaml
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from smarketing.core import clock
from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from smarketing.users.services import tokens

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
EXAMPLES = 3  # for every operation and mode; a longer run finds its place in a nightly job


@pytest.fixture
def application() -> Iterator[Any]:
    """The product as a server sees it, on the connection of the test."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield get_wsgi_application()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.django_db
def test_the_api_keeps_its_own_document(capsys: pytest.CaptureFixture[str], application: Any) -> None:
    call_command("spectacular")
    document: dict[str, Any] = yaml.safe_load(capsys.readouterr().out)
    schema = schemathesis.openapi.from_dict(document)
    schema.app = application
    admin = User.objects.create(name="Ada", email="ada@example.com", role=Role.ADMIN)
    issued = tokens.issue(
        user=admin, name="t", scopes=["read", "write"], expires_at=None, actor=None, now=clock.now()
    )
    tried = 0
    for operation in (result.ok() for result in schema.get_all_operations()):
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            tried += _try(operation, mode, issued.secret)
    assert tried > 60


def _try(operation: Any, mode: Any, secret: str) -> int:
    count = 0

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def run(data: st.DataObject) -> None:
        nonlocal count
        case = data.draw(operation.as_strategy(generation_mode=mode))
        with transaction.atomic():  # each case starts from the same rows
            response = case.call(headers={"Authorization": f"Bearer {secret}"})
            transaction.set_rollback(True)
        count += 1
        case.validate_response(response, checks=CHECKS)

    try:
        run()
    except schemathesis.errors.InvalidSchema:  # nothing invalid can be made of an address without input
        return count
    return count
