"""The door to pages, and how refusals look."""

from __future__ import annotations

import pytest
from django.test import Client

from smarketing.users.domain.roles import Capability, Role
from smarketing.web.pages import addresses, page
from tests.web.conftest import HTMX, SignIn

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.web.sample_urls")]


def test_a_stranger_is_sent_to_sign_in_and_back(client: Client) -> None:
    response = client.get("/colleagues?q=a")
    assert (response.status_code, response["Location"]) == (
        302,
        "/accounts/login/?next=%2Fcolleagues%3Fq%3Da",
    )


def test_htmx_of_a_stranger_loads_the_sign_in_page_and_comes_back_to_the_page(client: Client) -> None:
    headers = {**HTMX, "HX-Current-URL": "http://testserver/colleagues?q=a"}
    response = client.get("/colleagues?cursor=x", headers=headers)
    assert response.status_code == 401
    assert response["HX-Redirect"] == "/accounts/login/?next=%2Fcolleagues%3Fq%3Da"


def test_a_role_without_the_capability_reads_why(signed_in: SignIn) -> None:
    response = signed_in(Role.REP).get("/for-admins")
    assert response.status_code == 403
    assert "Your role does not allow this" in response.content.decode()
    assert signed_in(Role.ADMIN).get("/for-admins").content == b"yes"


def test_only_the_listed_methods_are_answered(signed_in: SignIn) -> None:
    client = signed_in()
    assert client.put("/for-admins").status_code == 405
    assert client.post("/colleagues").status_code == 405
    assert client.head("/colleagues").status_code == 200


def test_a_public_page_cannot_demand_a_capability() -> None:
    with pytest.raises(ValueError, match="public page"):
        page(public=True, capability=Capability.VIEW)


def test_every_address_is_listed_with_what_it_demands() -> None:
    rules = {a.route: a.rule for a in addresses()}
    rule = rules["for-admins"]
    assert rule is not None
    assert (rule.capability, rule.methods, rule.public) == (
        Capability.MANAGE_USERS,
        ("GET", "POST"),
        False,
    )
    assert rules["accounts/login/"] is None


def test_a_refusal_is_a_page_for_a_browser_and_a_toast_for_htmx(signed_in: SignIn) -> None:
    client = signed_in()
    whole = client.get("/refuses")
    assert whole.status_code == 409
    assert "It is closed already." in whole.content.decode()
    part = client.post("/refuses", headers=HTMX)
    assert (part.status_code, part["HX-Reswap"]) == (409, "none")
    html = part.content.decode()
    assert 'hx-swap-oob="beforeend:#toasts"' in html
    assert "It is closed already." in html
    assert "<html" not in html


def test_refused_fields_are_named(signed_in: SignIn) -> None:
    response = signed_in().get("/refuses?kind=fields")
    assert response.status_code == 422
    assert "Write a name." in response.content.decode()


def test_a_fault_of_ours_is_a_plain_page_that_tells_nothing(signed_in: SignIn) -> None:
    client = signed_in()
    client.raise_request_exception = False
    response = client.get("/refuses?kind=fault")
    assert response.status_code == 500
    html = response.content.decode()
    assert "Something broke on our side" in html
    assert "a fault of ours" not in html


@pytest.mark.parametrize("address", ["/nowhere", "/colleagues/../x"])
def test_an_unknown_address_is_a_page_in_our_look(signed_in: SignIn, address: str) -> None:
    response = signed_in().get(address)
    assert response.status_code == 404
    assert 'class="app"' in response.content.decode()


@pytest.mark.parametrize("address", ["/colleagues?q=%00", "/nowhere%00", "/colleagues?q=a%00b"])
def test_nul_in_the_address_is_refused(signed_in: SignIn, address: str) -> None:
    assert signed_in().get(address).status_code == 400


def test_pages_of_signed_in_users_are_stored_nowhere(signed_in: SignIn, client: Client) -> None:
    response = signed_in().get("/colleagues")
    assert response["Cache-Control"] == "no-store"
    assert {"HX-Request", "HX-Request-Type", "HX-Target"} <= {v.strip() for v in response["Vary"].split(",")}


def test_the_policy_allows_no_inline_style_or_script_and_pages_have_none(signed_in: SignIn) -> None:
    response = signed_in().get("/styleguide")
    policy = response["Content-Security-Policy"]
    assert "style-src 'self';" in policy + ";"
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    html = response.content.decode()
    assert " style=" not in html
    assert "hx-on" not in html
    assert html.count("<script") == 3  # import map with its nonce, the entry, the words as JSON
    assert "nonce-" in policy


def test_a_form_without_token_is_refused_in_words() -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/accounts/login/", {"login": "a@example.com", "password": "x"})
    assert response.status_code == 403
    assert "This form has expired" in response.content.decode()


def test_nobody_signs_up(client: Client) -> None:
    html = client.get("/accounts/signup/").content.decode()
    assert "Accounts are made by an admin" in html
