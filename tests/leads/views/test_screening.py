"""The page of our own traffic."""

from __future__ import annotations

import pytest
from django.test import Client

from leads.models import Screening, Source

pytestmark = pytest.mark.django_db
PAGE = "/settings/screening/"


@pytest.fixture
def marketer(mara) -> Client:
    client = Client()
    client.force_login(mara)
    return client


def test_a_marketer_names_our_networks_and_an_application_of_customers(marketer, web):
    given = {"networks": "203.0.113.0/24\n10.0.0.0/8", "hosts": "staging.*", "version": 1}
    assert marketer.post(PAGE, {**given, "lead_sources": [web.pk]}).status_code == 303
    row = Screening.objects.get()
    assert (row.networks, row.hosts) == (["203.0.113.0/24", "10.0.0.0/8"], ["staging.*"])
    assert Source.objects.get(code="web").opens_laps
    assert not Source.objects.get(code="api").opens_laps


def test_a_wrong_network_is_shown_again_and_nothing_is_saved(marketer, web):
    answer = marketer.post(PAGE, {"networks": "10.0.0.0/99", "hosts": "", "version": 1})
    assert answer.status_code == 422
    assert "10.0.0.0/99" in answer.content.decode()
    assert not Screening.objects.exists()
    assert Source.objects.get(code="web").opens_laps
