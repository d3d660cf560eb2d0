"""Drafting, proposing and signing an agreement."""

from __future__ import annotations

import pytest

from sla.domain import clauses as rules
from sla.domain import metrics
from sla.models import Agreement, AgreementSignature, AgreementState, AgreementVersion, Calendar, Clause
from sla.selectors import agreements as read
from sla.selectors import promised
from sla.services import agreements
from smarketing.users.domain.roles import Role
from tests.sla.conftest import HOUR, MONDAY, make_user

pytestmark = pytest.mark.django_db
LATER = MONDAY + HOUR


def clause(**changes):
    calendar = Calendar.objects.get(is_default=True).pk
    return {"side": "sales", "metric": "first_response", "target": 120, "calendar": calendar} | changes


@pytest.fixture
def proposed(sales_manager):
    version = agreements.draft(actor=sales_manager, now=MONDAY)
    agreements.update(version=version, clauses=[clause()], actor=sales_manager, now=MONDAY)
    return agreements.propose(version=version, actor=sales_manager, now=MONDAY)


def sign(version, signer, now=LATER):
    return agreements.sign(version=version, digest=version.digest, signer=signer, now=now)


def test_a_new_installation_has_an_agreement_that_nobody_has_signed():
    text = read.in_force()
    assert text.version.number == 1
    assert text.version.digest == rules.digest(read.specs_of(text.version))
    assert not text.is_signed
    assert [s.side for s in text.unsigned] == ["marketing", "sales"]
    assert [p.sentence for p in text.side("sales").promises] == [
        "Sales makes the first attempt to reach every delivered lead within 1 business hour of its delivery.",
        "Sales makes at least 5 attempts to reach every delivered lead, over at least 2 channels and on at "
        "least 3 business days, within 10 business days of its delivery.",
        "Sales explains every returned lead within 2 business days of its return.",
        "Every rep contacts at least 20 prospects each week.",
    ]
    assert [p.sentence for p in text.side("marketing").promises] == [
        "Marketing delivers at least 100 qualified leads to every rep each month.",
        "Marketing and sales meet at least once each week.",
    ]


def test_the_first_version_is_signed_as_it_stands(sales_manager, marketing_manager):
    version = AgreementVersion.objects.get()
    sign(version, marketing_manager)
    sign(version, sales_manager)
    text = read.in_force()
    assert text.version == version
    assert text.is_signed
    assert text.side("sales").signature.signer == sales_manager


def test_a_draft_starts_as_what_is_in_force_and_there_is_one_at_a_time(sales_manager):
    version = agreements.draft(actor=sales_manager, now=MONDAY)
    assert (version.number, version.state) == (2, AgreementState.DRAFT)
    assert version.digest == AgreementVersion.objects.get(number=1).digest
    assert agreements.draft(actor=sales_manager, now=LATER) == version
    assert read.in_force().version.number == 1


def test_both_signatures_put_a_version_in_force_and_retire_the_former(
    proposed, sales_manager, marketing_manager
):
    sign(proposed, marketing_manager)
    assert read.in_force().version.number == 1
    sign(proposed, sales_manager, now=LATER + HOUR)
    proposed.refresh_from_db()
    assert (proposed.state, proposed.in_force_from) == (AgreementState.IN_FORCE, LATER + HOUR)
    former = AgreementVersion.objects.get(number=1)
    assert (former.state, former.retired_at) == (AgreementState.RETIRED, LATER + HOUR)
    assert Agreement.objects.count() == 1
    (promise,) = promised.in_time(of=[metrics.FIRST_RESPONSE])
    assert promise.target == 2 * HOUR


def test_an_edit_clears_the_signatures(proposed, sales_manager, marketing_manager):
    sign(proposed, marketing_manager)
    former_digest = proposed.digest
    agreements.update(version=proposed, clauses=[clause(target=90)], actor=sales_manager, now=LATER)
    proposed.refresh_from_db()
    assert proposed.state == AgreementState.DRAFT
    assert proposed.digest != former_digest
    assert not AgreementSignature.objects.filter(version=proposed).exists()
    with pytest.raises(agreements.NotSignable):
        sign(proposed, sales_manager)


@pytest.mark.parametrize("role", [Role.REP, Role.MARKETER, Role.ADMIN, Role.READ_ONLY])
def test_only_managers_of_the_teams_sign(proposed, role):
    with pytest.raises(agreements.NotASigner):
        sign(proposed, make_user(role, "Nora Nobody"))
    assert not AgreementSignature.objects.exists()


def test_a_side_signs_once(proposed, sales_manager):
    sign(proposed, sales_manager)
    with pytest.raises(agreements.AlreadySigned):
        sign(proposed, make_user(Role.SALES_MANAGER, "Second Seller"))
    proposed.refresh_from_db()
    assert proposed.state == AgreementState.PROPOSED


@pytest.mark.parametrize("digest", ["", "0" * 64])
def test_another_text_than_the_one_read_is_not_signed(proposed, sales_manager, digest):
    with pytest.raises(agreements.AgreementChanged):
        agreements.sign(version=proposed, digest=digest, signer=sales_manager, now=LATER)
    assert not AgreementSignature.objects.exists()


def test_a_clause_changed_behind_the_digest_is_not_signed(proposed, sales_manager):
    Clause.objects.filter(version=proposed).update(target=999)
    with pytest.raises(agreements.AgreementChanged):
        sign(proposed, sales_manager)


def test_what_is_in_force_is_not_edited(sales_manager):
    version = AgreementVersion.objects.get()
    for change in (
        lambda: agreements.update(version=version, clauses=[clause()], actor=sales_manager, now=LATER),
        lambda: agreements.propose(version=version, actor=sales_manager, now=LATER),
        lambda: agreements.discard(version=version, actor=sales_manager, now=LATER),
    ):
        with pytest.raises(agreements.NotEditable):
            change()
    assert version.clauses.get(position=1).target == 60


def test_a_stale_edit_is_refused(sales_manager):
    version = agreements.draft(actor=sales_manager, now=MONDAY)
    with pytest.raises(agreements.AgreementChanged):
        agreements.update(
            version=version, clauses=[clause()], actor=sales_manager, now=LATER, expected_version=1
        )
    assert version.clauses.get(position=1).target == 60


def test_a_discarded_draft_leaves_what_is_in_force(sales_manager):
    version = agreements.draft(actor=sales_manager, now=MONDAY)
    agreements.discard(version=version, actor=sales_manager, now=LATER)
    assert [v.number for v in AgreementVersion.objects.all()] == [1]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"target": 0}, "clauses.0.target", "out_of_range"),
        ({"target": "NaN"}, "clauses.0.target", "out_of_range"),
        ({"target": 10**9}, "clauses.0.target", "out_of_range"),
        ({"metric": "supply"}, "clauses.0.metric", "unknown"),
        ({"side": "marketing"}, "clauses.0.side", "not_allowed"),
        ({"calendar": None}, "clauses.0.calendar", "required"),
        ({"calendar": 987654}, "clauses.0.calendar", "unknown"),
        ({"accountable": 987654}, "clauses.0.accountable", "unknown"),
        ({"population": {"bands": ["Z9"]}}, "clauses.0.population", "unknown"),
        ({"grace_seconds": -1}, "clauses.0.grace_seconds", "out_of_range"),
        ({"colour": "red"}, "clauses.0.colour", "unknown"),
    ],
)
def test_a_bad_clause_is_refused_with_its_place(sales_manager, change, field, code):
    version = agreements.draft(actor=sales_manager, now=MONDAY)
    with pytest.raises(agreements.AgreementInvalid) as refused:
        agreements.update(version=version, clauses=[clause(**change)], actor=sales_manager, now=LATER)
    assert [(e.field, e.code) for e in refused.value.errors] == [(field, code)]
    assert version.clauses.get(position=1).target == 60


def test_two_clauses_may_not_promise_the_same_twice(sales_manager):
    version = agreements.draft(actor=sales_manager, now=MONDAY)
    both = [clause(population={"bands": ["A1", "A2"]}), clause(population={"bands": ["A2"]}, target=30)]
    with pytest.raises(agreements.AgreementInvalid) as refused:
        agreements.update(version=version, clauses=both, actor=sales_manager, now=LATER)
    assert refused.value.errors[0].code == "overlap"


def test_no_clauses_are_no_agreement(sales_manager):
    version = agreements.draft(actor=sales_manager, now=MONDAY)
    for nothing in ([], None, "text"):
        with pytest.raises(agreements.AgreementInvalid):
            agreements.update(version=version, clauses=nothing, actor=sales_manager, now=LATER)
