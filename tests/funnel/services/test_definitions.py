"""A definition is in force when both sides have signed the same text; then nobody edits it."""

from __future__ import annotations

import copy
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.utils import IntegrityError

from funnel.domain.definitions import digest
from funnel.models import DefinitionSignature, DefinitionVersion, Handoff, Interest, LeadScore, SignalDay
from funnel.selectors import definitions as reading
from funnel.services import definitions, rescoring
from funnel.services.definitions import (
    DefinitionChanged,
    DefinitionNotEditable,
    DefinitionNotSignable,
    DefinitionNotUsable,
    EditNotAllowed,
    NotASigner,
)
from smarketing.audit.models import AuditEntry
from tests.funnel.conftest import DAY, NOW, asks_for_demo, capture_lead, record

pytestmark = pytest.mark.django_db
LATER = NOW + DAY


@pytest.fixture
def draft(max_):
    return definitions.create_draft(actor=max_, now=NOW)


def edited(draft, actor, **parts):
    body = copy.deepcopy(draft.body)
    body.update(parts)
    return definitions.update_draft(definition=draft, body=body, actor=actor, now=NOW)


def put_in_force(draft, max_, sam, *, now=LATER):
    proposal = definitions.propose(definition=draft, actor=max_, now=now)
    definitions.sign(definition=proposal, signer=max_, now=now)
    return definitions.sign(definition=proposal, signer=sam, now=now)


def test_a_new_installation_has_an_unsigned_default_in_force(db):
    version = reading.in_force()
    assert (version.number, version.name) == (1, "Default")
    assert version.digest == digest(version.body)
    assert not version.signatures.exists()


def test_the_default_can_be_signed_as_it_is(db, max_, sam):
    version = reading.in_force()
    definitions.sign(definition=version, signer=max_, now=NOW)
    definitions.sign(definition=version, signer=sam, now=NOW)
    signatures = DefinitionSignature.objects.filter(definition=version).order_by("side")
    assert [(s.side, s.signer, s.digest) for s in signatures] == [
        ("marketing", max_, version.digest),
        ("sales", sam, version.digest),
    ]
    assert reading.in_force() == version


def test_both_signatures_put_a_version_in_force_at_once(draft, max_, sam):
    proposal = definitions.propose(definition=draft, actor=max_, now=NOW)
    definitions.sign(definition=proposal, signer=max_, now=NOW)
    assert reading.in_force().number == 1
    definitions.sign(definition=proposal, signer=sam, now=LATER)
    version = reading.in_force()
    assert (version.pk, version.in_force_from) == (draft.pk, LATER)
    former = DefinitionVersion.objects.get(number=1)
    assert (former.state, former.retired_at) == ("retired", LATER)


def test_there_is_one_draft_at_a_time(draft, sam):
    assert definitions.create_draft(actor=sam, now=NOW) == draft


def test_an_edit_clears_the_signatures(draft, max_, sam):
    proposal = definitions.propose(definition=draft, actor=max_, now=NOW)
    definitions.sign(definition=proposal, signer=max_, now=NOW)
    changed = edited(proposal, sam, half_life_days=14)
    assert (changed.state, changed.signatures.count()) == ("draft", 0)
    assert changed.digest == digest(changed.body)


def test_a_text_that_changed_meanwhile_is_not_signed(draft, max_, sam):
    proposal = definitions.propose(definition=draft, actor=max_, now=NOW)
    read = proposal.digest
    changed = definitions.propose(definition=edited(proposal, sam, hysteresis=0.2), actor=sam, now=NOW)
    with pytest.raises(DefinitionChanged):
        definitions.sign(definition=changed, signer=max_, digest=read, now=NOW)
    assert not changed.signatures.exists()


def test_one_side_signs_once_and_others_not_at_all(draft, max_, mara, rita, olga):
    proposal = definitions.propose(definition=draft, actor=max_, now=NOW)
    definitions.sign(definition=proposal, signer=max_, now=NOW)
    with pytest.raises(DefinitionNotSignable):
        definitions.sign(definition=proposal, signer=max_, now=NOW)
    for user in (mara, rita, olga):
        with pytest.raises(NotASigner):
            definitions.sign(definition=proposal, signer=user, now=NOW)
    assert proposal.signatures.count() == 1


@pytest.mark.parametrize("who", ["mara", "rita", "olga"])
def test_only_managers_draw_up(db, who, request):
    with pytest.raises(EditNotAllowed):
        definitions.create_draft(actor=request.getfixturevalue(who), now=NOW)
    assert DefinitionVersion.objects.count() == 1


def test_a_draft_is_not_signed_and_an_unusable_one_not_kept(draft, max_):
    with pytest.raises(DefinitionNotSignable):
        definitions.sign(definition=draft, signer=max_, now=NOW)
    with pytest.raises(DefinitionNotUsable) as refused:
        edited(draft, max_, half_life_days=-1)
    assert [e.field for e in refused.value.errors] == ["half_life_days"]
    draft.refresh_from_db()
    assert draft.body["half_life_days"] == 30


def test_of_two_editors_of_one_version_the_second_is_told(draft, max_, sam):
    edited(draft, max_, hysteresis=0.2)
    with pytest.raises(DefinitionChanged):
        definitions.update_draft(
            definition=draft, body=draft.body, actor=sam, now=NOW, expected_version=draft.version
        )


def test_what_is_in_force_is_edited_neither_by_the_service_nor_by_sql(db, max_):
    version = reading.in_force()
    with pytest.raises(DefinitionNotEditable):
        edited(version, max_, hysteresis=0.2)
    for change in ({"body": {}}, {"digest": "0" * 64}, {"state": "draft"}):
        with pytest.raises(IntegrityError, match="make a new draft"), transaction.atomic():
            DefinitionVersion.objects.filter(pk=version.pk).update(**change)
    with pytest.raises(IntegrityError, match="make a new draft"), transaction.atomic():
        DefinitionVersion.objects.filter(pk=version.pk).delete()


def test_every_step_is_in_the_audit_trail(draft, max_, sam):
    put_in_force(draft, max_, sam)
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == [
        "definition_drafted",
        "definition_proposed",
        "definition_signed",
        "definition_signed",
    ]


# --- scores follow


def test_other_weights_are_one_statement_over_the_masses(web, rita, draft, max_, sam):
    lead = capture_lead(web)
    record(lead, "track", "Webinar attended", at=NOW)
    before = Interest.objects.get()
    signals = copy.deepcopy(draft.body["signals"])
    for signal in signals:
        signal["points"] *= 2
    put_in_force(edited(draft, max_, signals=signals), max_, sam)
    after = Interest.objects.get()
    assert after.masses == before.masses
    assert after.key == pytest.approx(before.key + 1, rel=1e-12)
    assert SignalDay.objects.get().definition == reading.in_force()
    score = LeadScore.objects.get()
    assert (score.definition, score.interest_band) == (reading.in_force(), 2)
    # 20 points at midnight, twice as heavy, reach the first band at the switch or not at all
    assert rescoring.rebuild(now=LATER).worst < 1e-9


def test_another_half_life_builds_masses_from_the_events(web, rita, draft, max_, sam):
    lead = capture_lead(web)
    record(lead, "track", "Webinar attended", at=NOW)
    version = put_in_force(edited(draft, max_, half_life_days=15), max_, sam)
    decay = reading.decay_of(reading.in_force())
    assert decay.half_life == timedelta(days=15)
    key = Interest.objects.get(definition=version).key
    day = NOW.replace(hour=0)
    assert decay.score_of_key(key, day + 15 * DAY) == pytest.approx(10)


def test_a_switch_takes_nobody_back(web, rita, draft, max_, sam):
    lead = capture_lead(web)
    asks_for_demo(lead, at=NOW)
    matrix = dict.fromkeys(draft.body["matrix"], "discard")
    put_in_force(edited(draft, max_, matrix=matrix), max_, sam)
    score = LeadScore.objects.get()
    assert (score.action, score.qualified_at) == ("discard", NOW)
    assert Handoff.objects.get().state == "delivered"
    assert lead.pk == score.lead_id


def test_a_switch_qualifies_those_who_now_meet_it(web, rita, draft, max_, sam):
    lead = capture_lead(web)
    record(lead, "track", "Webinar attended", at=NOW)
    assert not Handoff.objects.exists()
    matrix = dict.fromkeys(draft.body["matrix"], "hand_off")
    put_in_force(edited(draft, max_, matrix=matrix), max_, sam)
    assert LeadScore.objects.get(lead=lead).qualified_at == LATER
    assert Handoff.objects.get().state == "delivered"


def test_a_person_whom_a_switch_left_out_is_brought_up_by_the_next_event(web, rita, draft, max_, sam):
    lead = capture_lead(web)
    record(lead, "track", "Webinar attended", at=NOW)
    left_out = Interest.objects.values("definition", "masses", "key").get()
    put_in_force(edited(draft, max_, half_life_days=15), max_, sam)
    Interest.objects.update(**left_out)
    record(lead, "page", at=LATER + DAY, url="/")
    interest = Interest.objects.get()
    assert interest.definition.number == 2
    before = (interest.masses, interest.key)
    while rescoring.run_once(now=LATER + 2 * DAY, limit=10):
        pass
    rescoring.rebuild(now=LATER + 2 * DAY)
    interest.refresh_from_db()
    assert (interest.masses, interest.key) == before


def test_a_rebuild_keeps_the_instants_that_a_former_version_gave(web, rita, draft, max_, sam):
    lead = capture_lead(web)
    asks_for_demo(lead, at=NOW)
    put_in_force(edited(draft, max_, half_life_days=45), max_, sam)
    assert rescoring.rebuild(now=LATER + DAY).instants == 0
    assert LeadScore.objects.get(lead=lead).qualified_at == NOW
