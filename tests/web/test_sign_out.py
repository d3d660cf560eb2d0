"""After signing out nothing of what was seen is left behind."""

from __future__ import annotations

import pytest

from tests.web.conftest import SignIn

pytestmark = pytest.mark.django_db


def test_signing_out_clears_what_the_browser_holds(signed_in: SignIn) -> None:
    client = signed_in("rep")
    seen = client.get("/settings/users/")
    assert seen["Cache-Control"] == "no-store"
    assert "Clear-Site-Data" not in seen
    left = client.post("/accounts/logout/")
    assert (left.status_code, left["Clear-Site-Data"], left["Cache-Control"]) == (302, '"cache"', "no-store")
    again = client.get("/settings/users/")
    assert again["Location"].startswith("/accounts/login/")
    assert "Clear-Site-Data" not in again
