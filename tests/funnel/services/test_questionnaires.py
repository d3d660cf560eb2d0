"""The blind questionnaire: hidden until both sides answered, then the map, κ and a draft."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from funnel.domain.questionnaires import Agreement, divergence, kappa, majority
from funnel.models import DefinitionComment, Questionnaire, QuestionnaireAnswer
from funnel.selectors import questionnaires as read
from funnel.services import definitions, questionnaires
from funnel.services.definitions import DefinitionNotEditable
from funnel.services.questionnaires import (
    AnswerInvalid,
    AnswerNotAllowed,
    QuestionnaireClosed,
    StartNotAllowed,
)
from smarketing.notifications.models import Outbox
from smarketing.users.models import User
from tests.funnel.conftest import DAY, NOW, capture_lead
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db


def pairs(both: int, ours: int, theirs: int, neither: int) -> list[tuple[bool, bool]]:
    return (
        [(True, True)] * both + [(True, False)] * ours + [(False, True)] * theirs + [(False, False)] * neither
    )


def test_kappa_is_cohens() -> None:
    assert kappa(pairs(20, 5, 10, 15)) == Agreement(0.7, pytest.approx(0.4), 50)
    assert kappa(pairs(45, 15, 25, 15)).kappa == pytest.approx(0.1304347826)
    assert kappa(pairs(10, 0, 0, 10)).kappa == 1
    assert kappa(pairs(0, 10, 10, 0)).kappa == -1
    assert kappa(pairs(25, 25, 25, 25)).kappa == 0
    assert kappa(pairs(30, 0, 0, 0)) == Agreement(1.0, None, 30)
    assert kappa([]) == Agreement(None, None, 0)


def test_items_are_told_by_gap_and_a_side_that_is_split_says_nothing() -> None:
    ours = [{"a": 1, "b": 1, "c": 0}, {"a": 1, "b": 1, "c": 0}]
    theirs = [{"a": -1, "b": 1, "c": 0}, {"a": -1, "b": 0, "c": 0}]
    found = divergence(ours, theirs, ["c", "b", "a", "unrated"])
    assert [(g.key, g.gap, g.verdict) for g in found] == [("a", 1.0, None), ("b", 0.25, 1), ("c", 0.0, 0)]
    assert (found[0].marketing, found[0].sales) == ((2, 0, 0), (0, 0, 2))
    assert [majority(x) for x in ([], [True, False], [True, True, False], [False])] == [
        None,
        None,
        True,
        False,
    ]


def give(found: Questionnaire, user: User, *, rating: int = 1, label: bool = True, **other: int) -> Any:
    ratings = {item["key"]: rating for item in found.items} | {
        k.replace("__", "."): v for k, v in other.items()
    }
    labels = {case["key"]: label for case in found.cases}
    return questionnaires.answer(
        questionnaire=found,
        words={"definition": user.name},
        ratings=ratings,
        labels=labels,
        actor=user,
        now=NOW,
    )


@pytest.fixture
def open_round(web, rita, mara, sam) -> Questionnaire:
    for number in range(30):
        capture_lead(web, company=f"Firm {number}")
    return questionnaires.start(quorum=1, actor=sam, now=NOW + DAY)


def test_leads_are_shown_without_a_name_or_an_address(open_round: Questionnaire) -> None:
    assert len(open_round.cases) == 30
    told = str(open_round.cases)
    assert "Director of Sales" in told
    assert not any(word in told for word in ("Ada", "Lovelace", "initech", "Firm", "@"))


def test_a_round_is_hidden_until_both_sides_answered_and_over_then(
    open_round: Questionnaire, rita: User, mara: User, olga: User, rob: User
) -> None:
    with pytest.raises(AnswerNotAllowed):
        give(open_round, olga)
    give(open_round, rita, rating=-1)
    give(open_round, rita, rating=1, label=True, fit__company_size=-1, fit__decides=0)
    assert QuestionnaireAnswer.objects.count() == 1
    open_round.refresh_from_db()
    assert open_round.revealed_at is None
    hidden = client_for(mara).get(f"/api/v1/questionnaires/{open_round.pk}").json()
    assert (hidden["result"], hidden["sales"], hidden["marketing"]) == (None, 1, 0)
    give(open_round, mara, rating=1, label=False, fit__decides=0)
    open_round.refresh_from_db()
    assert (open_round.revealed_at, open_round.agreement) == (NOW, 0.0)
    assert open_round.kappa == 0
    with pytest.raises(QuestionnaireClosed):
        give(open_round, rob)
    result = read.result(open_round)
    assert (result.gaps[0][1].key, result.gaps[0][1].gap) == ("fit.company_size", 1.0)
    assert len(result.differing) == 30
    assert result.words["definition"] == {"marketing": ["Mara Marketer"], "sales": ["Rita Rep"]}
    told = list(Outbox.objects.filter(topic__startswith="questionnaire.").values_list("topic", flat=True))
    assert told == ["questionnaire.started", "questionnaire.revealed"]


def test_what_both_agree_on_becomes_a_draft(
    open_round: Questionnaire, rita: User, mara: User, sam: User
) -> None:
    with pytest.raises(QuestionnaireClosed):
        questionnaires.draft(questionnaire=open_round, actor=sam, now=NOW)
    give(open_round, rita, fit__company_size=-1, fit__decides=0, fit__chief=-1)
    give(open_round, mara, fit__decides=0, fit__chief=-1)
    questionnaires.draft(questionnaire=open_round, actor=sam, now=NOW)
    made = questionnaires.draft(questionnaire=open_round, actor=sam, now=NOW)  # a double click
    points = {entry["key"]: entry["points"] for entry in made.body["fit"]}
    assert "decides" not in points
    assert (points["company_size"], points["chief"], points["private_email"]) == (25, -20, 15)
    assert "number of employees is at least 50" in DefinitionComment.objects.get().text
    definitions.propose(definition=made, actor=sam, now=NOW)
    with pytest.raises(DefinitionNotEditable):
        questionnaires.draft(questionnaire=open_round, actor=sam, now=NOW)


def test_what_is_left_out_is_named_and_nothing_is_kept(open_round: Questionnaire, rita: User) -> None:
    with pytest.raises(AnswerInvalid) as refused:
        questionnaires.answer(
            questionnaire=open_round, words={}, ratings={"fit.nothing": 1}, labels={}, actor=rita, now=NOW
        )
    fields = {error.field for error in refused.value.errors}
    assert {"ratings.fit.nothing", "ratings.fit.decides", "labels.1"} <= fields
    assert not QuestionnaireAnswer.objects.exists()


def test_managers_start_one_round_at_a_time_and_the_next_is_due_after_a_quarter(
    db: None, rita: User, sam: User, mara: User
) -> None:
    assert read.is_due(now=NOW)
    with pytest.raises(StartNotAllowed):
        questionnaires.start(quorum=1, actor=rita, now=NOW)
    with pytest.raises(AnswerInvalid):
        questionnaires.start(quorum=0, actor=sam, now=NOW)
    made = questionnaires.start(quorum=1, actor=sam, now=NOW)
    assert made.cases == []
    with pytest.raises(QuestionnaireClosed):
        questionnaires.start(quorum=1, actor=sam, now=NOW)
    give(made, rita)
    give(made, mara)
    assert [read.is_due(now=NOW + days * DAY) for days in (89, 90)] == [False, True]
    assert [found.kappa for found in read.trend()] == [None]


def test_the_api_starts_answers_and_drafts(db: None, sam: User, mara: User, rita: User) -> None:
    url = "/api/v1/questionnaires"
    assert_problem(client_for(rita).post(url, {"quorum": 1}, format="json"), 403, "denied")
    made = client_for(sam).post(url, {"quorum": 1}, format="json").json()
    ratings = {item["key"]: 1 for item in made["items"]}
    for user in (rita, mara):
        bad = client_for(user).post(
            f"{url}/{made['id']}/answer", {"ratings": {}, "labels": {}}, format="json"
        )
        assert bad.status_code == 422
        sent = {"ratings": ratings, "labels": {}}
        told = client_for(user).post(f"{url}/{made['id']}/answer", sent, format="json").json()
    assert (len(told["result"]["gaps"]), told["kappa"]) == (len(ratings), None)
    drafted = client_for(sam).post(f"{url}/{made['id']}/draft", {}, format="json").json()
    assert drafted["state"] == "draft"
    assert client_for(sam).get(url).json()["results"][0]["id"] == made["id"]


def test_statements_of_the_managers_are_rated_beside_the_rules(
    db: None, sam: User, mara: User, rita: User
) -> None:
    found = questionnaires.start(quorum=1, statements=["Asked twice", "  "], actor=sam, now=NOW)
    assert found.items[-1] == {"key": "free.1", "text": "Asked twice"}
    give(found, mara)
    give(found, rita, free__1=-1)
    gaps = {gap.key: gap for _text, gap in read.result(Questionnaire.objects.get()).gaps}
    assert (gaps["free.1"].gap, gaps["free.1"].verdict) == (1.0, None)
    with pytest.raises(AnswerInvalid):
        questionnaires.start(quorum=1, statements=["x" * 201], actor=sam, now=NOW)


def test_a_round_ends_at_its_time_with_whoever_has_answered(
    db: None, sam: User, mara: User, rita: User
) -> None:
    with pytest.raises(AnswerInvalid):
        questionnaires.start(quorum=3, closes_at=NOW, actor=sam, now=NOW)
    found = questionnaires.start(quorum=3, closes_at=NOW + DAY, actor=sam, now=NOW)
    give(found, mara)
    give(found, rita)
    assert questionnaires.run_once(now=NOW + DAY / 2, limit=1) == 0
    assert questionnaires.run_once(now=NOW + 2 * DAY, limit=1) == 1
    ended = Questionnaire.objects.get()
    assert (ended.revealed_at, ended.cancelled_at) == (NOW + DAY, None)
    assert read.is_shown(ended)


def test_a_round_that_one_side_ignored_ends_without_a_result(db: None, sam: User, mara: User) -> None:
    found = questionnaires.start(quorum=1, closes_at=NOW + DAY, actor=sam, now=NOW)
    give(found, mara)
    questionnaires.run_once(now=NOW + 2 * DAY, limit=1)
    ended = Questionnaire.objects.get()
    assert not read.is_shown(ended)
    assert read.trend() == []
    with pytest.raises(QuestionnaireClosed):
        questionnaires.draft(questionnaire=ended, actor=sam, now=NOW + 2 * DAY)


def test_managers_cancel_a_round_and_are_told_once_when_the_next_is_due(
    db: None, sam: User, mara: User, rita: User
) -> None:
    found = questionnaires.start(quorum=1, actor=sam, now=NOW)
    with pytest.raises(StartNotAllowed):
        questionnaires.cancel(questionnaire=found, actor=rita, now=NOW)
    told = client_for(sam).post(f"/api/v1/questionnaires/{found.pk}/cancel", {}, format="json").json()
    assert told["cancelled_at"] is not None
    assert told["result"] is None
    with pytest.raises(QuestionnaireClosed):
        questionnaires.cancel(questionnaire=found, actor=sam, now=NOW)
    with pytest.raises(QuestionnaireClosed):
        give(found, mara)
    assert questionnaires.run_once(now=NOW + 89 * DAY, limit=1) == 0
    for day in (90, 91):
        questionnaires.run_once(now=NOW + day * DAY, limit=1)
    assert Outbox.objects.filter(topic="questionnaire.due").count() == 1


def test_the_command_starts_shows_and_cancels(
    db: None, sam: User, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("questionnaire", "start", "--quorum", "2", "--days", "14", "--statement", "Asked twice")
    assert Questionnaire.objects.get().items[-1]["text"] == "Asked twice"
    with pytest.raises(CommandError, match="open already"):
        call_command("questionnaire", "start")
    capsys.readouterr()
    call_command("questionnaire", "cancel", "--format", "json")
    assert json.loads(capsys.readouterr().out)[0]["state"] == "cancelled"
    with pytest.raises(CommandError, match="No round is open"):
        call_command("questionnaire", "cancel")
