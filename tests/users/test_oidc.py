"""Sign-in by OpenID Connect: from the environment, for colleagues that are known."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

from smarketing import env


def test_without_an_issuer_there_is_no_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OIDC_ISSUER", raising=False)
    assert env.oidc_apps() == []


def test_the_environment_names_the_one_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ISSUER", "https://id.example.com"), ("CLIENT_ID", "c"), ("CLIENT_SECRET", "s")):
        monkeypatch.setenv(f"OIDC_{name}", value)
    (app,) = env.oidc_apps()
    assert (app["provider_id"], app["client_id"], app["name"]) == ("oidc", "c", "Single sign-on")
    assert app["settings"] == {"server_url": "https://id.example.com", "oauth_pkce_enabled": True}


def test_a_browser_may_follow_the_sign_in_form_to_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OIDC_ISSUER", raising=False)
    assert env.oidc_origins() == []
    monkeypatch.setenv("OIDC_ISSUER", "https://id.example.com:8443/realms/crm")
    monkeypatch.setenv("OIDC_ORIGINS", "https://login.example.com")
    assert env.oidc_origins() == ["https://id.example.com:8443", "https://login.example.com"]


@pytest.mark.django_db
def test_the_way_to_the_provider_needs_a_post(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    app = {
        "provider_id": "oidc",
        "name": "SSO",
        "client_id": "c",
        "secret": "s",
        "settings": {"server_url": "https://id.example.com"},
    }
    monkeypatch.setitem(settings.SOCIALACCOUNT_PROVIDERS["openid_connect"], "APPS", [app])
    page = client.get("/accounts/oidc/oidc/login/")
    assert page.status_code == 200  # asks first: a link alone starts nothing
