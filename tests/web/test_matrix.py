"""Every page × every role: who gets in is what the table of capabilities says, and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Callable
from http import HTTPStatus

import pytest
from django.test import Client
from django.urls import get_resolver

from smarketing.users.domain.roles import CAPABILITIES, Role
from smarketing.users.models import User
from smarketing.web.pages import Address, addresses

pytestmark = pytest.mark.django_db

# Addresses that are guarded in another way: sign-in by allauth, the REST interface by its own
# permissions, and the signals of operations.
GUARDED_ELSEWHERE = ("accounts/", "api/", "healthz", "readyz", "metrics")
# Public addresses that write, and what binds them in place of a sign-in.
PUBLIC_WRITES = {
    "confirm/<str:token>/": "a signed token of one consent",
    "u/<str:token>/": "a signed token of one person and purpose (RFC 8058 forbids cookies)",
    "preferences/<str:token>/": "a signed token of one person",
    "mail/in/<str:token>/": "a long secret of which only the digest is kept",
    "f/<str:key>": "an answer carries nobody's authority: key, sites, limits and spam rules bind it",
    "f/<str:key>/": "the same, as the page itself posts",
    "servlet/servlet.WebToLead": "the same, as sites of Salesforce's users post",
    "submissions/v3/integration/submit/<str:portal>/<str:guid>": "the same, as HubSpot's forms post",
}
NOT_REFUSED = {HTTPStatus.OK, HTTPStatus.FOUND, HTTPStatus.SEE_OTHER, HTTPStatus.NOT_FOUND}


def pages() -> list[Address]:
    return [a for a in addresses() if not a.route.startswith(GUARDED_ELSEWHERE)]


def test_every_page_says_whom_it_admits() -> None:
    assert [f"{a.route} ({a.view})" for a in pages() if a.rule is None] == []


def test_a_page_that_writes_is_public_only_where_something_else_binds_it() -> None:
    open_writes = [a.route for a in pages() if a.rule and a.rule.public and set(a.rule.methods) - {"GET"}]
    assert sorted(open_writes) == sorted(PUBLIC_WRITES)


def test_strangers_are_sent_to_sign_in_everywhere(client: Client) -> None:
    for address in pages():
        if address.rule and not address.rule.public:
            method = address.rule.methods[0].lower()
            response = getattr(client, method)(example_of(address))
            assert response.status_code == HTTPStatus.FOUND, address.route
            assert response["Location"].startswith("/accounts/login/"), address.route


@pytest.mark.parametrize("role", list(Role))
def test_a_role_is_refused_exactly_where_it_lacks_the_capability(
    role: Role, person: Callable[..., User]
) -> None:
    client = Client()
    client.force_login(person(role))
    for address in pages():
        rule = address.rule
        if rule is None or rule.capability is None or "GET" not in rule.methods:
            continue
        status = client.get(example_of(address)).status_code
        if rule.capability in CAPABILITIES[role]:
            assert status in NOT_REFUSED, f"{role} {address.route}: {status}"
        else:
            assert status == HTTPStatus.FORBIDDEN, f"{role} {address.route}: {status}"


def test_the_matrix_is_printed_on_demand(request: pytest.FixtureRequest) -> None:
    """``script/test tests/web/test_matrix.py -k printed -s`` shows it."""
    lines = matrix()
    assert len(lines) == len(pages()) + 1
    if request.config.getoption("capture") == "no":
        sys.stdout.write("\n".join(["", *lines, ""]))


def matrix() -> list[str]:
    """The table as text: one line per page, one column per role."""
    width = max(len(a.route) for a in pages()) + 2
    head = " " * width + " ".join(f"{role:<17}" for role in Role)
    return [head, *(f"/{a.route:<{width - 1}}" + " ".join(cells(a)) for a in pages())]


def cells(address: Address) -> list[str]:
    rule = address.rule
    if rule is None:
        return ["?"]
    if rule.public:
        return ["everybody"]
    allowed = (
        "yes" if rule.capability is None or rule.capability in CAPABILITIES[role] else "-" for role in Role
    )
    return [f"{word:<17}" for word in allowed]


def example_of(address: Address) -> str:
    """The address with an id, key or word in each place of its route."""
    samples: dict[str, object] = {"int": 999999999, "uuid": "00000000-0000-7000-8000-000000000000"}
    path = address.route
    while "<" in path:
        before, _, rest = path.partition("<")
        inside, _, after = rest.partition(">")
        kind = inside.partition(":")[0] if ":" in inside else "str"
        path = f"{before}{samples.get(kind, 'nothing')}{after}"
    return f"/{path}"


def test_the_examples_lead_to_their_pages() -> None:
    assert [a.route for a in pages() if get_resolver().resolve(example_of(a)).route != a.route] == []
