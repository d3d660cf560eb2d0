"""The page of the likelihood, its panel on a lead, and who may do what."""

from __future__ import annotations

import pytest

from funnel.models import DefinitionVersion, Likelihood, LikelihoodModel, ModelState, TrainingRun, TraitRuling
from funnel.services import likelihoods
from tests.funnel.conftest import NOW
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db
BINNING = {
    "key": "lead.origin", "label": "Origin", "is_number": False, "edges": [], "levels": ["fair", "mail"],
}  # fmt: skip
BODY = {
    "form": "logistic", "binnings": [BINNING], "weights": [[0.0, 1.5, -0.5, 0.0]], "average": [0.25],
    "intercept": -1.0, "slope": 1.0, "shift": 0.0, "trees": [],
}  # fmt: skip
QUALITY = {
    "n": 1617, "won": 628, "auc": 0.8653, "log_loss": 0.44, "brier": 0.14, "calibration_error": 0.031,
    "top_decile_lift": 2.5, "curve": [[0.0646, 0.0579, 311], [0.9397, 0.9554, 157]],
}  # fmt: skip
CARD = {
    "form": "logistic", "split": "time", "n": 6468, "won": 2493, "held_out": QUALITY, "rival": QUALITY,
    "columns": [
        {"key": "lead.tags", "label": "Tags", "auc": 0.914, "known": 0.63, "guard": "name"},
        {"key": "lead.origin", "label": "Origin", "auc": 0.63, "known": 1.0, "guard": ""},
    ],
    "lifts": [
        {
            "key": "lead.origin", "label": "Origin", "what": "fair", "n": 400, "won": 200, "others": 6068,
            "others_won": 2293, "interval_95": [45.1, 54.9], "points": 5,
            "condition": {"path": "lead.origin", "operator": "equals", "value": "fair"},
        }
    ],
}  # fmt: skip


@pytest.fixture
def model(db: None) -> LikelihoodModel:
    """A model in use."""
    return likelihoods.keep(body=BODY, card=CARD, actor=None, now=NOW)


def test_without_a_model_the_page_says_what_it_takes(signed_in, sam):
    page = signed_in(sam).get("/settings/likelihood/").content.decode()
    assert "at least 50 customers" in page
    assert "Train now" in page


def test_the_card_is_told_in_words(signed_in, rita, model):
    page = signed_in(rita).get("/settings/likelihood/").content.decode()
    assert "0.865" in page
    assert "on 1,617 leads held out, 628 of them customers" in page
    assert "Held out: its name speaks of later" in page
    assert "Train now" not in page
    assert 'name="ruling"' not in page


def test_a_training_is_asked_for_and_shown(signed_in, sam):
    client = signed_in(sam)
    assert client.post("/settings/likelihood/train/").status_code == 303
    assert TrainingRun.objects.get().requested_by == sam
    page = client.get("/settings/likelihood/").content.decode()
    assert "Waiting" in page
    assert client.post("/settings/likelihood/train/").status_code == 409
    assert TrainingRun.objects.count() == 1


def test_a_ruling_is_kept_and_a_column_nobody_has_seen_refused(signed_in, sam, model):
    client = signed_in(sam)
    client.post("/settings/likelihood/rule/", {"key": "lead.tags", "ruling": "yes"})
    assert TraitRuling.objects.get().is_known_at_capture
    client.post("/settings/likelihood/rule/", {"key": "lead.nonsense", "ruling": "yes"})
    client.post("/settings/likelihood/rule/", {"key": "lead.tags", "ruling": "maybe"})
    assert list(TraitRuling.objects.values_list("key", "is_known_at_capture")) == [("lead.tags", True)]
    client.post("/settings/likelihood/rule/", {"key": "lead.tags", "ruling": ""})
    assert not TraitRuling.objects.exists()


@pytest.mark.parametrize("address", ["train/", "rule/", "{}/promote/", "{}/suggest/0/"])
def test_reps_and_marketers_only_read(signed_in, rita, mara, model, address):
    rival = likelihoods.keep(body=BODY, card=CARD, actor=None, now=NOW)
    for user in (rita, mara):
        answer = signed_in(user).post(
            f"/settings/likelihood/{address.format(rival.pk)}", {"key": "lead.tags"}
        )
        assert answer.status_code == 403
    rival.refresh_from_db()
    assert rival.state == ModelState.CHALLENGER
    assert not TrainingRun.objects.exists()


def test_what_the_data_says_goes_into_the_draft_by_one_click(signed_in, sam, rita, model):
    page = signed_in(rita).get("/settings/likelihood/").content.decode()
    assert "Origin: fair" in page
    assert "Add to the draft" not in page
    client = signed_in(sam)
    assert "Add to the draft" in client.get("/settings/likelihood/").content.decode()
    answer = client.post(f"/settings/likelihood/{model.pk}/suggest/0/")
    draft = DefinitionVersion.objects.get(state="draft")
    assert answer["Location"] == f"/settings/definition/{draft.number}/edit/"
    assert draft.body["fit"][-1]["value"] == "fair"
    assert client.post(f"/settings/likelihood/{model.pk}/suggest/0/").status_code == 409


def test_a_challenger_is_put_into_use(signed_in, sam, model):
    rival = likelihoods.keep(body=BODY, card=CARD, actor=None, now=NOW)
    client = signed_in(sam)
    assert "Put into use" in client.get("/settings/likelihood/").content.decode()
    assert client.post(f"/settings/likelihood/{rival.pk}/promote/").status_code == 303
    rival.refresh_from_db()
    assert rival.state == ModelState.CHAMPION
    assert client.post(f"/settings/likelihood/{rival.pk}/promote/").status_code == 409
    assert client.post("/settings/likelihood/999999/promote/").status_code == 404


def test_a_lead_shows_its_likelihood_with_reasons(signed_in, rita, model, lead):
    likelihoods.answer(lead_ids=[lead.pk], now=NOW)
    page = signed_in(rita).get(f"/leads/{lead.pk}/").content.decode()
    answer = Likelihood.objects.get(lead=lead)
    assert f"{answer.value * 100:.0f}%" in page
    assert "By model 1, from what was known at capture." in page


def test_the_interface_gives_answers_and_cards(sam, rita, model, lead):
    likelihoods.answer(lead_ids=[lead.pk], now=NOW)
    body = client_for(rita).get(f"/api/v1/likelihoods?lead={lead.pk}").json()["results"]
    assert [(row["lead"], row["model"]) for row in body] == [(lead.pk, 1)]
    assert client_for(rita).get(f"/api/v1/likelihoods/{lead.pk}").json()["value"] == body[0]["value"]
    card = client_for(rita).get(f"/api/v1/likelihood-models/{model.pk}").json()["card"]
    assert card["held_out"]["auc"] == 0.8653
    rival = likelihoods.keep(body=BODY, card=CARD, actor=None, now=NOW)
    address = f"/api/v1/likelihood-models/{rival.pk}/promote"
    assert_problem(client_for(rita).post(address), 403, "denied")
    assert client_for(sam).post(address).json()["state"] == "champion"
    assert_problem(client_for(sam).post(address), 409, "model_already_used")
