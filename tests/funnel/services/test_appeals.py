"""Marketing contests a return once; who is no party rules, and the lead and the numbers follow."""

from __future__ import annotations

from datetime import timedelta

import pytest

from funnel.models import Appeal, DefinitionComment, Handoff, LeadState, RoutingDecision, Tombstone
from funnel.services import appeals, handoffs
from funnel.services.appeals import AlreadyRuled, AppealIncomplete, AppealNotAllowed, NoAppeal
from funnel.services.handoffs import UndoNotPossible
from smarketing.notifications.models import Outbox
from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from tests.funnel.conftest import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=2)
NEXT = NOW + timedelta(days=1)
DAY = timedelta(days=1)


@pytest.fixture
def sina(db: None) -> User:
    """Another sales manager."""
    return User.objects.create(email="sina@example.com", name="Sina Sales", role=Role.SALES_MANAGER)


@pytest.fixture
def returned(rita, rob, lead, qualify) -> Handoff:
    """Rita gave the lead back: not our kind of customer, never deliver it again."""
    qualify(lead)
    handoff = Handoff.objects.get(lead=lead)
    owner = handoff.owner
    return handoffs.return_(handoff=handoff, reason="no_fit", note="Too small", actor=owner, now=LATER)


def contest(handoff, mara, **given):
    given = {"evidence": "They have 900 employees.", "now": NEXT, **given}
    return appeals.appeal(handoff=handoff, actor=mara, **given)


def stage(lead):
    return LeadState.objects.get(lead=lead).stage.code


def topics():
    return list(Outbox.objects.order_by("pk").values_list("topic", flat=True))


def test_an_appeal_goes_to_a_manager_who_is_no_party(returned, mara, sam):
    appeal = contest(returned, mara)
    assert (appeal.handoff, appeal.appellant, appeal.arbiter, appeal.ruling) == (returned, mara, sam, "")
    returned.refresh_from_db()
    assert returned.state == "returned"
    assert topics()[-1] == "handoff.appealed"


def test_managers_of_both_sides_rule_in_turn_and_an_admin_only_where_there_is_none(returned, mara):
    admin = User.objects.create(email="ann@example.com", name="Ann", role=Role.ADMIN)
    assert contest(returned, mara).arbiter == admin
    Appeal.objects.all().delete()
    max_ = User.objects.create(email="m@example.com", name="Max", role=Role.MARKETING_MANAGER)
    assert contest(returned, mara).arbiter == max_
    Appeal.objects.all().delete()
    assert contest(returned, max_).arbiter == admin


def test_an_overturned_return_brings_the_lead_back_to_another_rep(returned, mara, sam, lead):
    first = returned.owner
    assert Tombstone.objects.filter(lifted_at=None).count() == 1
    appeal = contest(returned, mara)
    appeals.rule(appeal=appeal, ruling="overturned", note="They fit.", actor=sam, now=NEXT + DAY)
    returned.refresh_from_db()
    again = Handoff.objects.exclude(pk=returned.pk).get()
    assert returned.state == "overturned"
    assert (again.state, stage(lead)) == ("delivered", "mql")
    assert again.owner not in (first, None)
    assert not Tombstone.objects.filter(lifted_at=None).exists()
    assert topics()[-1] == "handoff.overturned"


def test_an_upheld_return_stands_and_gives_the_rep_the_turn_back(returned, mara, sam, lead):
    appeal = contest(returned, mara)
    ruled = appeals.rule(appeal=appeal, ruling="upheld", note="Too small indeed.", actor=sam, now=NEXT + DAY)
    returned.refresh_from_db()
    assert (returned.state, stage(lead)) == ("upheld", "disqualified")
    assert (ruled.ruled_by, ruled.ruled_at) == (sam, NEXT + DAY)
    assert RoutingDecision.objects.get(handoff=returned).credited_at == NEXT + DAY
    assert topics()[-1] == "handoff.upheld"


def test_a_return_that_nobody_contests_stands_after_the_window(returned, mara):
    assert appeals.run_once(now=LATER + 14 * DAY - timedelta(seconds=1), limit=10) == 0
    assert appeals.run_once(now=LATER + 14 * DAY, limit=10) == 1
    assert appeals.run_once(now=LATER + 15 * DAY, limit=10) == 0
    with pytest.raises(NoAppeal):
        contest(returned, mara, now=LATER + 14 * DAY)


def test_the_last_instant_of_the_window_is_still_in_it(returned, mara, sam):
    assert contest(returned, mara, now=LATER + 14 * DAY - timedelta(microseconds=1)).arbiter == sam


def test_a_return_is_contested_once_and_an_answer_not_undone_then(returned, mara):
    contest(returned, mara, now=LATER + timedelta(seconds=3))
    with pytest.raises(NoAppeal):
        contest(returned, mara)
    with pytest.raises(UndoNotPossible):
        handoffs.undo(handoff=returned, actor=returned.owner, now=LATER + timedelta(seconds=5))
    assert Appeal.objects.count() == 1


def test_only_a_return_can_be_contested(rita, lead, qualify, mara):
    qualify(lead)
    with pytest.raises(NoAppeal):
        contest(Handoff.objects.get(lead=lead), mara)
    assert not Appeal.objects.exists()


@pytest.mark.parametrize("who", ["rita", "sam", "olga"])
def test_only_marketing_appeals(returned, who, request):
    with pytest.raises(AppealNotAllowed):
        contest(returned, request.getfixturevalue(who))
    assert not Appeal.objects.exists()


@pytest.mark.parametrize("evidence", ["", "  ", "x" * 4001, "a\x00b"])
def test_an_appeal_brings_evidence(returned, mara, evidence):
    with pytest.raises(AppealIncomplete) as refused:
        contest(returned, mara, evidence=evidence)
    assert [e.field for e in refused.value.errors] == ["evidence"]
    assert not Appeal.objects.exists()


@pytest.mark.parametrize("who", ["rita", "mara", "max_", "sina", "olga"])
def test_nobody_but_the_arbiter_rules(returned, sam, mara, sina, who, request):
    appeal = contest(returned, mara)
    with pytest.raises(AppealNotAllowed):
        appeals.rule(appeal=appeal, ruling="upheld", note="So", actor=request.getfixturevalue(who), now=NEXT)
    appeal.refresh_from_db()
    returned.refresh_from_db()
    assert (appeal.ruling, returned.state) == ("", "returned")


def test_another_manager_stands_in_for_an_arbiter_who_has_left(returned, sam, mara, sina):
    appeal = contest(returned, mara)
    User.objects.filter(pk=sam.pk).update(is_active=False)
    assert appeals.rule(appeal=appeal, ruling="upheld", note="So", actor=sina, now=NEXT).ruled_by == sina


def test_a_ruling_stands(returned, sam, mara):
    appeal = contest(returned, mara)
    appeals.rule(appeal=appeal, ruling="upheld", note="So", actor=sam, now=NEXT)
    with pytest.raises(AlreadyRuled):
        appeals.rule(appeal=appeal, ruling="overturned", note="No", actor=sam, now=NEXT)
    assert Appeal.objects.get().ruling == "upheld"


def test_an_unclear_definition_is_put_into_its_discussion(returned, sam, mara):
    appeal = contest(returned, mara)
    appeals.rule(
        appeal=appeal, ruling="upheld", note="What is small?", actor=sam, now=NEXT, definition_unclear=True
    )
    comment = DefinitionComment.objects.get()
    assert "What is small?" in comment.text
    assert "Not our kind of customer" in comment.text


def test_a_lead_that_has_gone_on_meanwhile_stays_where_it_is(rita, rob, lead, qualify, mara, sam):
    qualify(lead)
    handoff = Handoff.objects.get(lead=lead)
    handoffs.return_(handoff=handoff, reason="not_ready", actor=handoff.owner, now=LATER)
    appeal = contest(handoff, mara)
    handoffs.deliver(lead=lead, actor=mara, now=NEXT)
    appeals.rule(appeal=appeal, ruling="overturned", note="Ready", actor=sam, now=NEXT + DAY)
    handoff.refresh_from_db()
    assert handoff.state == "overturned"
    assert Handoff.objects.filter(lead=lead).count() == 2
