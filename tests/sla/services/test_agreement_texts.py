"""Around the clauses: annex, the day it takes effect, discussion, changes in words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.template import Context, Template

from funnel.services import appeals, handoffs
from funnel.services.appeals import NoAppeal
from sla.models import AgreementComment, AgreementState, AgreementVersion
from sla.selectors import agreement_changes, glossary, prose
from sla.selectors import agreements as read
from sla.services import agreement_comments, agreements
from smarketing.notifications.models import Outbox
from smarketing.users.services import organisation
from tests.sla.conftest import HOUR, MONDAY, agree, deliver, make_user

pytestmark = pytest.mark.django_db
WORD = {"term": "Worked", "meaning": "Depth met or outcome recorded.", "bound_to": "metric:worked"}


@pytest.fixture
def version(sales_manager):
    return agreements.draft(actor=sales_manager, now=MONDAY)


def sign_by_both(version, *signers, now=MONDAY):
    for signer in signers:
        version.refresh_from_db()
        agreements.sign(version=version, digest=version.digest, signer=signer, now=now)
    version.refresh_from_db()
    return version


def test_the_annex_is_signed_with_the_clauses_and_comes_along_to_the_next_draft(
    version, sales_manager, marketing_manager
):
    before = version.digest
    agreements.update(version=version, annex={"glossary": [WORD]}, actor=sales_manager, now=MONDAY)
    version.refresh_from_db()
    assert version.digest != before
    agreements.propose(version=version, actor=sales_manager, now=MONDAY)
    sign_by_both(version, sales_manager, marketing_manager)
    assert glossary.in_force()["metric:worked"].meaning == "Depth met or outcome recorded."
    following = agreements.draft(actor=sales_manager, now=MONDAY + HOUR)
    assert following.annex == {"glossary": [WORD]}
    assert following.digest == version.digest


def test_a_bad_annex_is_refused_and_nothing_changes(version, sales_manager):
    bad = {"links": [{"title": "x", "url": "javascript:alert(1)"}]}
    with pytest.raises(agreements.AgreementInvalid) as refused:
        agreements.update(version=version, annex=bad, actor=sales_manager, now=MONDAY)
    assert [e.field for e in refused.value.errors] == ["annex.links.0.url"]
    version.refresh_from_db()
    assert version.annex == {}


def test_an_annex_changed_behind_the_digest_is_not_signed(version, sales_manager):
    agreements.propose(version=version, actor=sales_manager, now=MONDAY)
    AgreementVersion.objects.filter(pk=version.pk).update(annex={"plan": []})
    AgreementVersion.objects.filter(pk=version.pk).update(annex={"glossary": [WORD]})
    version.refresh_from_db()
    with pytest.raises(agreements.AgreementChanged):
        agreements.sign(version=version, digest=version.digest, signer=sales_manager, now=MONDAY)


def test_a_version_with_a_day_waits_for_it_where_the_organisation_is(
    version, sales_manager, marketing_manager
):
    organisation.update(
        changes={"time_zone": "Europe/Berlin"},
        expected_version=None,
        actor=make_user("admin", "Ada Admin"),
        now=MONDAY,
    )
    agreements.update(version=version, effective_on=date(2026, 2, 1), actor=sales_manager, now=MONDAY)
    agreements.propose(version=version, actor=sales_manager, now=MONDAY)
    sign_by_both(version, sales_manager, marketing_manager)
    assert version.state == AgreementState.SIGNED
    assert read.in_force().version.number == 1
    midnight = datetime(2026, 1, 31, 23, tzinfo=UTC)
    assert agreements.run_once(now=midnight - timedelta(seconds=1)) == 0
    assert agreements.run_once(now=midnight + HOUR) == 1
    version.refresh_from_db()
    assert (version.state, version.in_force_from) == (AgreementState.IN_FORCE, midnight)
    assert AgreementVersion.objects.get(number=1).retired_at == midnight
    assert agreements.run_once(now=midnight + HOUR) == 0


def test_a_day_that_has_come_already_holds_nobody_up(version, sales_manager, marketing_manager):
    agreements.update(version=version, effective_on=MONDAY.date(), actor=sales_manager, now=MONDAY)
    agreements.propose(version=version, actor=sales_manager, now=MONDAY)
    assert sign_by_both(version, sales_manager, marketing_manager).state == AgreementState.IN_FORCE


def test_what_is_signed_for_later_is_neither_edited_nor_doubled(version, sales_manager, marketing_manager):
    agreements.update(version=version, effective_on=date(2027, 1, 1), actor=sales_manager, now=MONDAY)
    agreements.propose(version=version, actor=sales_manager, now=MONDAY)
    sign_by_both(version, sales_manager, marketing_manager)
    with pytest.raises(agreements.NotEditable):
        agreements.update(version=version, annex={}, actor=sales_manager, now=MONDAY)
    with pytest.raises(agreements.NotEditable):
        agreements.draft(actor=sales_manager, now=MONDAY)
    assert AgreementVersion.objects.count() == 2


def test_a_comment_tells_the_author_and_whoever_spoke_before(version, sales_manager, marketing_manager, rep):
    agreement_comments.add(version=version, text="Too slow.", position=1, author=rep, now=MONDAY)
    agreement_comments.add(version=version, text="Why?", author=marketing_manager, now=MONDAY)
    told = Outbox.objects.filter(topic="agreement.commented").order_by("pk")
    assert [o.notice["user_ids"] for o in told] == [[sales_manager.pk], sorted([sales_manager.pk, rep.pk])]
    assert told[0].notice["link"] == "/agreement/2/"
    assert [c.text for c in agreement_changes.comments(version)] == ["Too slow.", "Why?"]


@pytest.mark.parametrize(("text", "position"), [("  ", None), ("x\x00", None), ("x" * 4001, None), ("x", 99)])
def test_an_empty_comment_or_one_on_nothing_is_refused(version, rep, text, position):
    with pytest.raises(agreement_comments.CommentInvalid):
        agreement_comments.add(version=version, text=text, position=position, author=rep, now=MONDAY)
    assert not AgreementComment.objects.exists()


def test_changes_are_told_in_words(version, sales_manager):
    clauses = [spec.to_json() for spec in read.specs_of(version)]
    clauses[0]["target"] = 30
    clauses[0]["accountable"] = sales_manager.pk
    del clauses[3]
    agreements.update(version=version, clauses=clauses, annex={"glossary": [WORD]}, actor=None, now=MONDAY)
    version.refresh_from_db()
    former = agreement_changes.former_of(version)
    changed, gone = agreement_changes.changes(version, former)
    assert changed.before.endswith("within 1 business hour of its delivery.")
    assert changed.after.endswith("within 30 business minutes of its delivery.")
    assert changed.parts == ["accountable: – → Sam Seller", "target: 60 → 30"]
    assert (gone.change, gone.before) == ("removed", "Every rep contacts at least 20 prospects each week.")
    assert agreement_changes.annex_changes(version, former) == ["What words mean"]


def test_every_metric_has_its_sentence(version):
    documents = [
        {
            "metric": "supply_value",
            "target": 50_000,
            "calendar": 1,
            "terms": {"per": "team", "ceiling": 90_000},
        },
        {"metric": "supply_count", "target": 1, "calendar": 1, "terms": {"ceiling": 130}, "period": "week"},
        {"metric": "minimum_information", "target": 95},
        {"metric": "outcome", "target": "1.5", "calendar": 1, "population": {"bands": ["A1"]}},
        {"metric": "touched", "target": "97.5"},
        {"metric": "worked", "target": 80, "period": "quarter"},
        {"metric": "acceptance", "target": 60},
        {"metric": "close_rate", "target": 10},
    ]
    from_data = [prose.sentence_of(spec) for spec in agreements.rules.parse(documents)]
    assert from_data == [
        "Marketing delivers at least leads worth $50,000 to sales each month; more than $90,000 doesn't "
        "count.",
        "Marketing delivers at least 1 qualified lead to every rep each week; more than 130 don't count.",
        "At least 95% of the leads that marketing delivers in a month carry the minimum information without "
        "an override.",
        "Sales says what became of every delivered lead of the cells A1 within 1.5 business days of its "
        "delivery.",
        "Sales makes at least one attempt to reach 97.5% or more of the leads delivered in a month.",
        "Sales works 80% or more of the leads delivered in a quarter.",
        "Sales accepts 60% or more of the leads delivered in a month that it answers.",
        "At least 10% of the leads delivered in a month become customers within 90 days.",
    ]


def test_a_word_is_shown_with_its_meaning_where_it_appears():
    template = Template("{% load glossary %}{% term words 'metric:worked' 'Worked' %}")
    words = {"metric:worked": glossary.Meaning("Worked", 'Depth <met> "or" more.', "term-worked")}
    shown = template.render(Context({"words": words}))
    assert 'href="/agreement/#term-worked"' in shown
    assert "Depth &lt;met&gt;" in shown
    assert template.render(Context({"words": {}})) == "Worked"


def test_the_window_of_appeals_is_a_term_that_is_told_signed_and_holds_for_returns_from_then_on(
    rep, marketer, sales_manager, marketing_manager
):
    agree()  # it says nothing about returns: 14 days
    early, late = (deliver(rep, MONDAY) for _n in range(2))
    handoffs.return_(handoff=early, reason="no_fit", note="Too small", actor=rep, now=MONDAY + HOUR)
    version = agreements.draft(actor=sales_manager, now=MONDAY)
    told = [spec.to_json() for spec in read.specs_of(version)]
    feedback = {"metric": "return_feedback", "target": 2, "calendar": told[0]["calendar"]}
    agreements.update(version=version, clauses=[*told, feedback], actor=sales_manager, now=MONDAY)
    version.refresh_from_db()
    before = version.digest
    feedback["terms"] = {"appeal_days": 3}
    agreements.update(version=version, clauses=[*told, feedback], actor=sales_manager, now=MONDAY)
    version.refresh_from_db()
    assert version.digest != before
    clause = version.clauses.get(metric="return_feedback")
    sentence = "Marketing may appeal against a return within 3 days of it; after that it stands."
    assert sentence in prose.details(clause)
    (change,) = agreement_changes.changes(version, agreement_changes.former_of(version))
    assert (change.change, change.metric) == ("added", "Feedback on returns")
    agreements.propose(version=version, actor=sales_manager, now=MONDAY)
    sign_by_both(version, sales_manager, marketing_manager, now=MONDAY + 2 * HOUR)
    given = MONDAY + 3 * HOUR
    handoffs.return_(handoff=late, reason="no_fit", note="Too small", actor=rep, now=given)
    after = given + timedelta(days=3)
    assert appeals.run_once(now=after - timedelta(microseconds=1), limit=10) == 0
    with pytest.raises(NoAppeal, match="3 days"):
        appeals.appeal(handoff=late, evidence="They are large.", actor=marketer, now=after)
    # The return that was given under the former version keeps its fortnight.
    assert appeals.appeal(handoff=early, evidence="They are large.", actor=marketer, now=after).pk


def test_a_new_installation_promises_a_weekly_meeting_over_a_digest_that_holds(db):
    version = AgreementVersion.objects.get(number=1)
    meeting = version.clauses.get(metric="meetings")
    assert prose.sentence(meeting) == "Marketing and sales meet at least once each week."
    assert read.digest_of(version) == version.digest
