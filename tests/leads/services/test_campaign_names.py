"""One rule says which campaign a link names, for visits, for forms and for what a new campaign claims."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from leads.models import Campaign
from leads.services import campaign_names, campaigns

NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)


@pytest.fixture
def known(db: None) -> dict[str, Campaign]:
    made = {
        key: campaigns.create(name=name, actor=None, now=NOW)
        for key, name in (("first", "Spring Sale"), ("second", "spring sale"), ("third", "Fair_2026"))
    }
    Campaign.objects.filter(pk=made["third"].pk).update(external_id="701A")
    return made


@pytest.mark.parametrize(
    ("tags", "key"),
    [
        ({"utm_campaign": "SPRING SALE"}, "first"),  # of two that are called the same the older
        ({"utm_campaign": "spring_sale"}, "first"),
        ({"utm_campaign": "fair_2026"}, "third"),
        ({"utm_campaign": "701a"}, "third"),
        ({"utm_id": "701A", "utm_campaign": "spring sale"}, "third"),
        ({"utm_id": "unheard of", "utm_campaign": "spring sale"}, "first"),
        ({"utm_campaign": "fair 2026"}, None),
        ({"utm_source": "spring sale"}, None),
        ({}, None),
    ],
)
def test_a_link_names_the_same_campaign_to_visits_and_to_forms(
    known: dict[str, Campaign], tags: dict[str, str], key: str | None
) -> None:
    wanted = known[key] if key else None
    assert campaign_names.in_links(tags=[tags, {"utm_id": "else"}]).of(tags) == (wanted and wanted.pk)
    assert campaign_names.of_answer(tags=tags, raw={}) == wanted


def test_what_a_campaign_is_called_in_links_holds_its_name_and_its_id(known: dict[str, Campaign]) -> None:
    assert campaign_names.words_of(campaign=known["first"]) == ["spring sale", "spring_sale"]
    known["third"].refresh_from_db()
    assert campaign_names.words_of(campaign=known["third"]) == ["701a", "fair_2026"]
