"""A version with a day of its own waits signed, takes effect at that day's start, and is told to all."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.db.utils import IntegrityError

from funnel.domain import drafts
from funnel.domain.definitions import TEMPLATES, default_document, digest
from funnel.models import DefinitionComment, DefinitionState, DefinitionVersion, Handoff
from funnel.selectors import (
    definition_changes,
    definition_reach,
    definition_texts,
    facts,
    past_facts,
)
from funnel.selectors import definitions as reading
from funnel.services import definition_comments, definitions, opportunities
from funnel.services.definition_comments import DefinitionCommentInvalid
from funnel.services.definitions import DefinitionNotEditable, DefinitionNotUsable
from smarketing.notifications.models import Outbox
from tests.funnel.conftest import DAY, NOW, asks_for_demo, capture_lead, record

pytestmark = pytest.mark.django_db
MAY = date(2026, 5, 4)
DUE = datetime(2026, 5, 4, tzinfo=UTC)


def topics() -> list[str]:
    found = Outbox.objects.filter(topic__startswith="definition.").order_by("pk")
    return list(found.values_list("topic", flat=True))


@pytest.fixture
def waiting(max_, sam):
    """Version 2, signed by both, in force from 4 May."""
    draft = definitions.create_draft(actor=max_, now=NOW)
    proposal = definitions.propose(definition=draft, effective_on=MAY, actor=max_, now=NOW)
    definitions.sign(definition=proposal, signer=max_, now=NOW)
    return definitions.sign(definition=proposal, signer=sam, now=NOW)


def test_it_waits_signed_until_the_first_instant_of_its_day(waiting, rita, web):
    due = definitions.effective_from(day=MAY)
    assert waiting.state == DefinitionState.SIGNED
    assert waiting.body["effective_on"] == "2026-05-04"
    assert definitions.run_once(now=due - timedelta(microseconds=1)) == 0
    assert reading.in_force().number == 1
    assert definitions.run_once(now=due + timedelta(minutes=7)) == 1
    assert definitions.run_once(now=due + timedelta(minutes=8)) == 0
    now_held, former = reading.in_force(), DefinitionVersion.objects.get(number=1)
    assert (now_held.number, now_held.in_force_from, former.retired_at) == (2, due, due)
    assert topics() == ["definition.proposed", "definition.signed", "definition.in_force"]
    capture_lead(web, at=due + DAY)
    assert definition_texts.progress() is None


def test_what_waits_is_not_edited_by_anybody_but_taken_back_as_a_draft(waiting, max_, mara):
    body = dict(waiting.body)
    with pytest.raises(DefinitionNotEditable):
        definitions.update_draft(definition=waiting, body=body, actor=max_, now=NOW)
    with pytest.raises(DefinitionNotEditable):
        definitions.create_draft(actor=max_, now=NOW)
    with pytest.raises(DefinitionNotEditable):
        definitions.discard(definition=waiting, actor=max_, now=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        DefinitionVersion.objects.filter(pk=waiting.pk).update(digest="0" * 64)
    with pytest.raises(definitions.EditNotAllowed):
        definitions.take_back(definition=waiting, actor=mara, now=NOW)
    assert DefinitionVersion.objects.get(pk=waiting.pk).signatures.count() == 2
    back = definitions.take_back(definition=waiting, actor=max_, now=NOW)
    assert (back.state, back.signatures.count()) == (DefinitionState.DRAFT, 0)
    assert definitions.run_once(now=DUE + DAY) == 0
    assert topics()[-1] == "definition.taken_back"


def test_a_day_that_is_over_is_refused_and_today_is_at_once(max_, sam):
    draft = definitions.create_draft(actor=max_, now=NOW)
    with pytest.raises(DefinitionNotUsable) as refused:
        definitions.propose(definition=draft, effective_on=date(2026, 3, 1), actor=max_, now=NOW)
    assert refused.value.errors[0].field == "effective_on"
    assert DefinitionVersion.objects.get(pk=draft.pk).state == DefinitionState.DRAFT
    proposal = definitions.propose(definition=draft, effective_on=NOW.date(), actor=max_, now=NOW)
    definitions.sign(definition=proposal, signer=max_, now=NOW)
    definitions.sign(definition=proposal, signer=sam, now=NOW)
    assert reading.in_force() == draft
    assert "effective_on" not in definitions.create_draft(actor=max_, now=NOW).body


def test_parts_that_say_nothing_are_left_out_so_that_old_digests_stay_valid():
    plain = default_document()
    blank = {"effective_on": None, "minimum_by_band": {"A": []}, "personas": [], "ideal_customer": {}}
    assert drafts.parse(plain | blank).digest == digest(plain)
    wrong = {
        "effective_on": "2026-02-30",
        "minimum_by_band": {"D": [["person.name"]]},
        "personas": [{"key": "cfo", "name": ""}],
        "ideal_customer": {"where": [{"path": "nobody", "operator": "known"}]},
    }
    fields = [problem.field for problem in drafts.validate(plain | wrong)]
    assert fields == [
        "minimum_by_band",
        "personas.0.name",
        "ideal_customer.where.0.path",
        "effective_on",
    ]


def test_every_template_is_a_definition_and_they_differ():
    assert len({drafts.parse(make()).digest for make in TEMPLATES.values()}) == 3


def test_the_best_fit_may_need_more_information_than_the_rest(web):
    body = default_document() | {"minimum_by_band": {"B": [["person.phone"], ["person.name"]]}}
    rules = drafts.parse(body)
    leads = [capture_lead(web).pk, capture_lead(web, title="Clerk", company="").pk]
    known = facts.of_leads(leads)
    assert [rules.fit_band(rules.fit_score(known[pk])) for pk in leads] == ["B", "C"]
    assert [rules.missing(known[pk]) for pk in leads] == [["person.phone"], ["company.name"]]


def test_a_persona_is_told_by_alternatives_of_one_attribute_and_all_attributes():
    where = [
        {"path": "person.title", "operator": "matches", "value": "*cfo*"},
        {"path": "person.title", "operator": "matches", "value": "*finance*"},
        {"path": "company.employees", "operator": "at_least", "value": 50},
    ]
    body = default_document() | {
        "personas": [{"key": "cfo", "name": "CFO", "where": where}],
        "ideal_customer": {"description": "Mid-size", "where": where[2:]},
    }
    rules = drafts.parse(body)
    found = {"person": {"title": "Head of Finance"}, "company": {"employees": 80}}
    assert rules.persona_of(found).name == "CFO"
    assert rules.is_ideal(found) is True
    assert rules.persona_of(found | {"company": {}}) is None
    assert drafts.parse(default_document()).is_ideal(found) is None


def test_a_customer_by_another_deal_is_excluded_from_its_day_on(web, rita, max_, sam):
    first, second = capture_lead(web), capture_lead(web, at=NOW + DAY)
    won_at = NOW + 2 * DAY
    deal = opportunities.open(
        name="Won",
        lead=first,
        amount=Decimal(900),
        currency="EUR",
        owner=rita,
        opened_at=NOW + DAY,
        actor=rita,
        now=NOW + DAY,
    )
    opportunities.move(opportunity=deal, to="won", actor=rita, now=won_at)
    known = facts.of_leads([first.pk, second.pk])
    assert [known[pk]["company"]["is_customer"] for pk in (first.pk, second.pk)] == [False, True]
    then = past_facts.of_leads([second.pk])[second.pk]
    told = [(part.until, part.facts["company"]["is_customer"]) for part in then]
    assert (won_at, False) in told
    assert told[-1] == (None, True)


def test_changes_are_told_sentence_by_sentence(max_):
    draft = definitions.create_draft(actor=max_, now=NOW)
    body = copy.deepcopy(draft.body)
    body["fit"][0]["points"] = 50
    body["exclusions"].pop()
    body["personas"] = [{"key": "cfo", "name": "CFO", "description": "Signs"}]
    draft = definitions.update_draft(definition=draft, body=body, actor=max_, now=NOW)
    former = definition_changes.former_of(draft)
    found = definition_changes.changes(draft, former)
    assert [(c.change, c.part) for c in found] == [
        ("changed", "fit"),
        ("added", "personas"),
        ("removed", "exclusions"),
    ]
    assert (found[0].before[:3], found[0].after[:3]) == ("+15", "+50")
    assert definition_changes.changes(former, former) == []


def test_a_comment_stays_with_its_version_and_tells_the_drafter(max_, rita):
    draft = definitions.create_draft(actor=max_, now=NOW)
    made = definition_comments.add(definition=draft, text=" Why 60? ", part="bands", author=rita, now=NOW)
    assert list(definition_changes.comments(draft)) == [made]
    assert (made.text, Outbox.objects.get().notice["user_ids"]) == ("Why 60?", [max_.pk])
    for bad in ({"text": " "}, {"text": "x", "part": "nothing"}, {"text": "x" * 4001}):
        with pytest.raises(DefinitionCommentInvalid):
            definition_comments.add(definition=draft, author=rita, now=NOW, **bad)
    assert DefinitionComment.objects.count() == 1


def test_the_reach_of_rules_is_counted_and_says_over_how_many(
    web, rita, monkeypatch, django_assert_max_num_queries
):
    leads = [capture_lead(web), capture_lead(web, title="Clerk"), capture_lead(web, title="CFO")]
    asks_for_demo(leads[1], at=NOW)
    record(leads[0], "page", at=NOW - 100 * DAY, url="/", now=NOW)
    rules = reading.rules_of(reading.in_force())
    with django_assert_max_num_queries(5):
        reach = definition_reach.of(rules, now=NOW + DAY)
    assert (reach.looked_at, reach.is_sample, reach.behaving) == (3, False, 3)
    by_key = {c.key: n for c, n in zip(rules.criteria, reach.fit, strict=True)}
    assert (by_key["directs"], by_key["company_known"], by_key["company_size"]) == (1, 3, 0)
    touched = {s.key: n for s, n in zip(rules.signals, reach.signals, strict=True)}
    assert (touched["demo_requested"], touched["page"]) == (1, 0)
    record(leads[2], "page", at=NOW, url="/")
    monkeypatch.setattr(definition_reach, "MOST_EVENTS", 1)
    cut = definition_reach.of(rules, now=NOW + DAY)
    # The events of the last person were not all read, so that person counts for nothing.
    assert (cut.behaving, cut.looked_at, sum(cut.signals)) == (2, 3, 2)
    monkeypatch.setattr(definition_reach, "MOST", 2)
    sampled = definition_reach.of(rules, now=NOW + DAY)
    assert (sampled.looked_at, sampled.is_sample) == (2, True)


def test_the_tooltip_says_the_version_in_force_in_plain_words(waiting, rita, web):
    assert definition_texts.tooltip() == (
        "A qualified lead: fit A with interest 1 or 2; fit B with interest 1."
        " Fit A begins at 60 points, B at 30; interest 1 at 40 points, 2 at 15. (version 1 of the definition)"
    )
    definitions.run_once(now=DUE + DAY)
    assert definition_texts.tooltip().endswith("(version 2 of the definition)")
    assert not Handoff.objects.exists()
