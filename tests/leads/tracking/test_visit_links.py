"""A lap or a campaign that is made during a visit, or after it, has the visit's touchpoint all the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from leads.models import Campaign, ImportRun, ImportState, Lead, Person, Source, Touchpoint
from leads.services import campaigns, leads, people, tracking
from leads.services.imports import asking, execution
from smarketing.users.models import User
from tests.importing import take
from tests.leads.tracking.conftest import START, Say

SITE = "https://shop.example"
NOW = START + timedelta(hours=3)
AD = {"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "Spring_Sale"}
Told = Callable[..., None]


def links() -> list[tuple[str, int | None, str | None]]:
    """Of each visit's touchpoint its channel, its lap and its campaign, in order of time."""
    touches = Touchpoint.objects.filter(kind="visit").order_by("occurred_at", "pk")
    rows = touches.values_list("channel__code", "lead__lap", "campaign__name")
    return list(rows)


def comes_back(web: Source, *, minute: float = 5) -> Lead:
    at = START + timedelta(minutes=minute)
    person = Person.objects.get(refs__external_id="ada")
    return leads.capture(source=web, person=person, captured_at=at, is_contact=False, actor=None, now=at).lead


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_lap_that_opens_during_a_visit_has_the_visit_whether_it_goes_on_or_not(
    say: Say, told: Told, web: Source, goes_on: bool
) -> None:
    told(say("identify", user="ada", anonymous="v1"), say(minute=1, user="ada", anonymous="v1", campaign=AD))
    assert links() == [("paid_search", None, None)]
    comes_back(web)
    assert links() == [("paid_search", 1, None)]
    if goes_on:
        told(say(minute=6, user="ada", anonymous="v1", url=f"{SITE}/price"))
        assert links() == [("paid_search", 1, None)]


def test_a_later_lap_takes_no_visit_of_an_earlier_one(say: Say, told: Told, web: Source) -> None:
    told(say("identify", user="ada", anonymous="v1"), say(minute=1, user="ada", anonymous="v1", campaign=AD))
    first = comes_back(web)
    leads.close(lead=first, at=START + timedelta(minutes=30), now=START + timedelta(minutes=30))
    told(say(minute=90, user="ada", anonymous="v1", url=f"{SITE}/again"))
    assert links() == [("paid_search", 1, None), ("direct", None, None)]
    comes_back(web, minute=100)
    assert links() == [("paid_search", 1, None), ("direct", 2, None)]


def test_a_campaign_made_after_links_have_named_it_has_their_visits(
    say: Say, told: Told, web: Source
) -> None:
    told(
        say("identify", user="ada", anonymous="v1"),
        say(minute=1, user="ada", anonymous="v1", campaign=AD),
        say(minute=2, user="ada", anonymous="v1", campaign={"utm_source": "letter", "utm_id": "C-7"}),
    )
    other = campaigns.create(name="Autumn", actor=None, now=NOW)
    assert [campaign for *_rest, campaign in links()] == [None, None]
    campaigns.create(name="Letters", source=web, external_id="c-7", actor=None, now=NOW)
    campaigns.update(campaign=other, changes={"name": "spring_sale"}, actor=None, now=NOW)
    assert [campaign for *_rest, campaign in links()] == ["spring_sale", "Letters"]
    told(say(minute=3, user="ada", anonymous="v1", url=f"{SITE}/price"))
    tracking.apply(messages=[say(minute=0.5, user="ada", anonymous="v1", url=SITE)], now=NOW)
    assert [campaign for *_rest, campaign in links()] == [None, "spring_sale", "Letters"]


def test_what_an_import_makes_has_the_visits_until_it_is_undone(
    say: Say, told: Told, mara: User, tmp_path: Path
) -> None:
    told(say("identify", user="ada", anonymous="v1"), say(minute=1, user="ada", anonymous="v1", campaign=AD))
    person = Person.objects.get()
    people.update(person=person, changes={"emails": ["ada@x.example"]}, actor=None, now=NOW)
    before = links()
    file = tmp_path / "leads.csv"
    file.write_text("Lead ID,Email,Last Name,Campaign\nL1,ada@x.example,Lovelace,spring_sale\n")
    take("leads", file, create_missing=True, now=NOW)
    assert links() == [("paid_search", 1, "spring_sale")]
    run = ImportRun.objects.get()
    asking.undo(run=run, actor=mara, now=NOW)
    execution.work(clock=lambda: NOW, watch=execution.unwatched)
    run.refresh_from_db()
    assert (run.state, run.undo_report["stays"]) == (ImportState.UNDONE, [])
    assert links() == before
    assert not Lead.objects.exists()
    assert not Campaign.objects.exists()
