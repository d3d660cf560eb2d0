"""What each role sees first, as the apps have wired it."""

from __future__ import annotations

import pytest

from smarketing.users.domain.roles import Role
from smarketing.web import navigation
from tests.web.conftest import SignIn


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "first"),
    [
        (Role.REP, "/queue/"),
        (Role.MARKETER, "/supply/"),
        (Role.SALES_MANAGER, "/alignment/"),
        (Role.MARKETING_MANAGER, "/alignment/"),
        (Role.ADMIN, "/alignment/"),
        (Role.READ_ONLY, "/alignment/"),
    ],
)
def test_each_role_sees_its_own_page_first(signed_in: SignIn, role: Role, first: str) -> None:
    assert signed_in(role).get("/")["Location"] == first


def test_no_two_entries_of_the_menu_share_a_key() -> None:
    keys = [item.key for item in navigation.items() if item.key]
    assert sorted(set(keys)) == sorted(keys)
