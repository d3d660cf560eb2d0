"""Pages of appeals: contesting on the lead's page, ruling, and who is offered what."""

from __future__ import annotations

from datetime import timedelta

import pytest

from funnel.models import Appeal, Handoff
from funnel.services import handoffs
from tests.funnel.conftest import NOW, asks_for_demo

pytestmark = pytest.mark.django_db


@pytest.fixture
def returned(rita, lead) -> Handoff:
    asks_for_demo(lead, at=NOW)
    handoff = Handoff.objects.get(lead=lead)
    now = NOW + timedelta(minutes=10)
    return handoffs.return_(handoff=handoff, reason="no_need", note="Nobody answers", actor=rita, now=now)


def test_marketing_contests_on_the_page_of_the_lead_and_a_manager_rules(signed_in, returned, mara, sam, rita):
    url = f"/handoffs/{returned.pk}/appeal/"
    assert url in signed_in(mara).get(f"/leads/{returned.lead_id}/").content.decode()
    assert url not in signed_in(rita).get(f"/leads/{returned.lead_id}/").content.decode()
    assert "“No need” by Rita Rep." in signed_in(mara).get(url).content.decode()
    assert signed_in(mara).post(url, {"evidence": "They asked for a demo."}).status_code == 303
    appeal = Appeal.objects.get()
    page = f"/appeals/{appeal.pk}/"
    assert f"{page}rule/" not in signed_in(mara).get(page).content.decode()
    text = signed_in(sam).get(page).content.decode()
    assert "Nobody answers" in text
    assert "They asked for a demo." in text
    assert f"{page}rule/" in text
    given = {"ruling": "upheld", "note": "Not now.", "version": appeal.version}
    assert signed_in(sam).post(f"{page}rule/", given).status_code == 303
    assert "Return upheld" in signed_in(rita).get("/appeals/").content.decode()
    assert "Ruled by Sam Sales" in signed_in(mara).get(f"/leads/{returned.lead_id}/").content.decode()


def test_a_second_ruling_of_a_stale_page_is_refused_in_words(signed_in, returned, mara, sam):
    signed_in(mara).post(f"/handoffs/{returned.pk}/appeal/", {"evidence": "They asked."})
    appeal = Appeal.objects.get()
    rule = f"/appeals/{appeal.pk}/rule/"
    given = {"ruling": "upheld", "note": "Not now.", "version": appeal.version}
    signed_in(sam).post(rule, given)
    answer = signed_in(sam).post(rule, {**given, "ruling": "overturned"})
    assert answer.status_code == 409
    assert "ruled on already" in answer.content.decode()
    assert Appeal.objects.get().ruling == "upheld"


def test_another_manager_is_offered_the_ruling_only_when_the_arbiter_is_gone(
    signed_in, returned, mara, sam, max_
):
    signed_in(mara).post(f"/handoffs/{returned.pk}/appeal/", {"evidence": "They asked."})
    appeal = Appeal.objects.select_related("arbiter").get()
    page = f"/appeals/{appeal.pk}/"
    other = max_ if appeal.arbiter == sam else sam
    assert f"{page}rule/" not in signed_in(other).get(page).content.decode()
    appeal.arbiter.is_active = False
    appeal.arbiter.save(update_fields=["is_active"])
    assert f"{page}rule/" in signed_in(other).get(page).content.decode()


def test_an_empty_list_says_what_it_is_for(signed_in, olga):
    assert "A return that marketing contests" in signed_in(olga).get("/appeals/").content.decode()
