"""How two records compare, field by field."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leads.domain import duplicates as rules
from leads.domain.duplicates import Band, Firm, Level, Profile

ADA = Profile("ada", "lovelace", ("ada@engines.example",), ("442079460958",), company="7", city="london")


def levels(one: Profile, other: Profile) -> dict[str, str]:
    return {part.field: str(part.level) for part in rules.compare(one, other).evidence}


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("ada", "ada", Level.SAME),
        ("robert", "rob", Level.CLOSE),
        ("jonhson", "johnson", Level.CLOSE),
        ("m", "mary", Level.NEAR),
        ("m", "john", Level.DIFFERENT),
        ("li", "lu", Level.DIFFERENT),
        ("", "ada", None),
    ],
)
def test_names(one: str, other: str, level: Level | None) -> None:
    assert rules.name_level(one, other) == level


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("19710624", "19710624", Level.SAME),
        ("19710624", "19710524", Level.CLOSE),
        ("19710506", "19710605", Level.CLOSE),
        ("19710624", "19710720", Level.NEAR),
        ("19710624", "19810701", Level.NEAR),
        ("19710624", "19940301", Level.DIFFERENT),
        ("19710624", "1971", Level.DIFFERENT),
        ("", "19710624", None),
    ],
)
def test_days_of_birth(one: str, other: str, level: Level | None) -> None:
    assert rules.birth_level(one, other) == level


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("ada@x.example", "ada@x.example", Level.SAME),
        ("lovelace@x.example", "lovelace@x.exmaple", Level.CLOSE),
        ("lovelace@x.example", "lovelace@other.example", Level.NEAR),
        ("info@x.example", "info@other.example", Level.DIFFERENT),
        ("h.k@x.example", "f.j@x.example", Level.DIFFERENT),
        ("ada@x.example", "bob@y.example", Level.DIFFERENT),
    ],
)
def test_addresses(one: str, other: str, level: Level) -> None:
    assert rules.email_level(one, other) == level


def test_a_blank_says_nothing() -> None:
    assert rules.compare(ADA, Profile()).evidence == ()
    assert rules.compare(Profile(), Profile()).score == 0


def test_swapped_names_are_seen() -> None:
    assert levels(Profile("ada", "lovelace"), Profile("lovelace", "ada")) == {"swapped_names": "same"}
    assert levels(Profile("", "lovelace"), Profile("lovelace", "ada")) == {"last_name": "close"}


def test_an_address_may_tell_the_others_name() -> None:
    one, other = Profile("", "", ("hmay32@x.example",)), Profile("harry", "may")
    assert levels(one, other) == {"email_tells_name": "close"}


def test_a_name_alone_is_shared_by_strangers() -> None:
    same = rules.compare(Profile("john", "smith"), Profile("john", "smith"))
    assert (same.score, same.band) == (8.0, Band.UNLIKELY)
    beside = rules.compare(Profile("john", "smith", city="hull"), Profile("john", "smith", city="hull"))
    assert (beside.score, beside.band) == (10.0, Band.PROBABLE)


def test_certain_is_never_said_against_a_weighty_contradiction() -> None:
    other = Profile("ada", "lovelace", ("ada@engines.example",), birth_date="18151210", city="london")
    born = Profile("ada", "lovelace", ("ada@engines.example",), birth_date="19900101", city="london")
    assert rules.compare(ADA, other).band is Band.CERTAIN
    assert rules.compare(other, born).band is Band.PROBABLE


def test_companies_by_name_and_domain() -> None:
    acme = Firm("acme", "acme.example", "de", "berlin")
    assert rules.compare_companies(acme, Firm("acme", "acme.example")).band is Band.CERTAIN
    assert rules.compare_companies(acme, Firm("acme", "other.example", "us")).band is Band.UNLIKELY
    assert rules.compare_companies(acme, Firm("acme holding", "", "de", "berlin")).band is Band.UNLIKELY
    assert rules.compare_companies(Firm("a", "gmail.com"), Firm("b", "gmail.com")).band is Band.UNLIKELY


words = st.text(alphabet="abcdeé- ", max_size=8)
profiles = st.builds(
    Profile,
    first_name=words,
    last_name=words,
    emails=st.lists(st.sampled_from(["a@b.example", "abcde@b.example", "abcdf@b.example"]), max_size=2),
    phones=st.lists(st.sampled_from(["4930123456", "030123456"]), max_size=2),
    city=words,
    postcode=words,
    address=words,
    birth_date=st.sampled_from(["", "19710624", "19710524", "00000000", "1971"]),
)


@given(one=profiles, other=profiles)
def test_the_order_of_the_two_does_not_matter_and_parts_sum_to_the_score(
    one: Profile, other: Profile
) -> None:
    there, back = rules.compare(one, other), rules.compare(other, one)
    assert there.score == pytest.approx(back.score)
    assert there.score == pytest.approx(sum(part.weight for part in there.evidence))
