"""Keys: what is one company, one product, one name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leads.domain import identities


@pytest.mark.parametrize(
    "name",
    ["Acme", "ACME Inc.", "acme, inc", "Acme GmbH", "  Acme  Ltd. ", "Acme S.A.", "Acme Sp. z o.o.",
     "Acme GmbH & Co. KG", "Acme Pty Ltd", "Ａｃｍｅ Corporation"],
)  # fmt: skip
def test_one_company(name):
    assert identities.company_key(name) == "acme"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Smith & Sons", "smith and sons"), ("Smith-Jones", "smith jones"), ("McDonald's", "mcdonalds"),
        ("Inc", "inc"), ("Co & Co", "co"), ("", ""), ("!!!", ""), ("Müller AG", "müller"),
        ("日本電気株式会社", "日本電気株式会社"),
    ],
)  # fmt: skip
def test_company_keys(name, key):
    assert identities.company_key(name) == key


@pytest.mark.parametrize(
    ("one", "other"), [("GTXPro", "GTX Pro"), ("gtx-pro", "GTX  PRO"), ("MG_Special", "MG Special")]
)
def test_one_product(one, other):
    assert identities.product_key(one) == identities.product_key(other)


def test_different_products_stay_apart():
    assert (
        len({identities.product_key(n) for n in ("GTX Basic", "GTX Pro", "GTX Plus Basic", "GTX Plus Pro")})
        == 4
    )


def test_owner_names():
    assert identities.person_name_key(" José  ÁLVAREZ-Ruiz ") == "jose alvarez ruiz"


def test_domains():
    assert identities.company_domain("a@Example.COM") == "example.com"
    assert identities.company_domain("a@gmail.com") == ""
    assert identities.is_free_mail("Ada@GMX.de")
    assert identities.is_free_mail("gmx.de")
    assert not identities.is_free_mail("example.com")
    assert identities.email_domain("nobody") == ""


@given(st.text(max_size=300))
def test_keys_are_stable(name):
    assert len(identities.company_key(name)) <= 255
    assert identities.product_key(identities.product_key(name)) == identities.product_key(name)
