"""The pages and the interface of the replay."""

from __future__ import annotations

import pytest

from funnel.models import DefinitionVersion, Replay
from funnel.services import definitions, replays
from tests.funnel.conftest import DAY, NOW, asks_for_demo, capture_lead
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db
PAGE = "/settings/definition/replay/"


@pytest.fixture
def version(db: None) -> DefinitionVersion:
    return DefinitionVersion.objects.in_force().get()


@pytest.fixture
def done(web, rita, sam, version) -> Replay:
    """A replay of one lead that was delivered."""
    asks_for_demo(capture_lead(web), at=NOW + DAY)
    replay = replays.ask(versions=[version], start=NOW, end=NOW + 9 * DAY, actor=sam, now=NOW + 9 * DAY)
    replays.carry_out(replay=replay, clock=lambda: NOW + 9 * DAY)
    return replay


def test_a_rep_asks_for_a_replay_and_sees_how_far_it_is(signed_in, rita, version):
    client = signed_in(rita)
    assert "Nothing has been replayed yet" in client.get(PAGE).content.decode()
    wish = {"versions": [version.pk], "start": "2026-01-01", "end": "2026-01-31"}
    answer = client.post(PAGE, wish)
    replay = Replay.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, f"{PAGE}{replay.pk}/")
    assert "0 of 0 leads looked at" in client.get(answer["Location"]).content.decode()


def test_a_wrong_period_comes_back_beside_its_field(signed_in, rita, version):
    wish = {"versions": [version.pk], "start": "2026-02-01", "end": "2026-01-01"}
    answer = signed_in(rita).post(PAGE, wish)
    assert answer.status_code == 422
    assert "The period must begin before it ends" in answer.content.decode()
    assert not Replay.objects.exists()


def test_the_result_names_its_leads_and_shows_k_of_n(signed_in, rita, done):
    page = signed_in(rita).get(f"{PAGE}{done.pk}/").content.decode()
    assert "1 of 1" in page
    assert "as written" in page
    assert "Stricter or looser" in page


def test_a_replay_of_a_draft_is_its_drafters_until_it_is_proposed(signed_in, rita, sam, now):
    draft = definitions.create_draft(actor=sam, now=now)
    replay = replays.ask(versions=[draft], start=now - DAY, end=now, actor=sam, now=now)
    assert signed_in(sam).get(f"{PAGE}{replay.pk}/").status_code == 200
    assert signed_in(rita).get(f"{PAGE}{replay.pk}/").status_code == 404
    wish = {"versions": [draft.pk], "start": "2026-01-01", "end": "2026-01-31"}
    assert signed_in(rita).post(PAGE, wish).status_code == 422
    assert Replay.objects.count() == 1


def test_a_replay_is_computed_anew_by_a_manager_only(signed_in, rita, sam, done):
    assert signed_in(rita).post(f"{PAGE}{done.pk}/again/").status_code == 403
    assert signed_in(sam).post(f"{PAGE}{done.pk}/again/").status_code == 303
    assert Replay.objects.filter(state="waiting", versions=done.versions).count() == 1


def test_the_interface_asks_and_reads(rita, sam, version, done):
    body = {"versions": [version.number], "start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"}
    assert_problem(client_for(rita).post("/api/v1/replays", body, format="json"), 403, "denied")
    made = client_for(sam).post("/api/v1/replays", body, format="json")
    assert (made.status_code, made.json()["state"]) == (201, "waiting")
    wrong = client_for(sam).post("/api/v1/replays", {**body, "versions": [99]}, format="json")
    assert assert_problem(wrong, 422, "invalid")["errors"][0]["pointer"].startswith("/versions")
    (result,) = client_for(rita).get(f"/api/v1/replays/{done.pk}").json()["results"]
    assert (result["qualified"], result["both"], result["won"]["n"]) == (1, 1, 0)
