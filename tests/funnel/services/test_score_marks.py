"""A won deal makes its company a customer: the company's other leads are scored by it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from funnel.models import LeadScore, ScoreMark
from funnel.services import definitions, opportunities, score_marks
from tests.funnel.conftest import DAY, NOW, capture_lead

pytestmark = pytest.mark.django_db
CUSTOMERS = {
    "key": "customer", "path": "company.is_customer", "operator": "equals", "value": True,
    "reason": "Is a customer already",
}  # fmt: skip


def won(lead, rita, at):
    deal = opportunities.open(
        lead=lead, name="D", amount=Decimal(9), currency="EUR", owner=rita, opened_at=at, actor=rita, now=at
    )
    return opportunities.move(opportunity=deal, to="won", actor=rita, now=at)


def test_the_other_leads_of_a_new_customer_are_scored_again(web, rita, max_, sam):
    draft = definitions.create_draft(actor=max_, now=NOW)
    body = draft.body | {"exclusions": [*draft.body["exclusions"], CUSTOMERS]}
    draft = definitions.update_draft(definition=draft, body=body, actor=max_, now=NOW)
    draft = definitions.propose(definition=draft, actor=max_, now=NOW)
    for signer in (max_, sam):
        definitions.sign(definition=draft, signer=signer, now=NOW)
    buyer, colleague = capture_lead(web, company="Globex"), capture_lead(web, company="Globex")
    stranger = capture_lead(web, company="Initech")
    won(buyer, rita, NOW + DAY)
    assert list(ScoreMark.objects.values_list("lead_id", flat=True)) == [colleague.pk]
    assert LeadScore.objects.get(lead=colleague).action == "nurture"
    assert score_marks.run_once(now=NOW + DAY, limit=10) == 1
    assert LeadScore.objects.get(lead=colleague).action == "discard"
    assert LeadScore.objects.get(lead=stranger).action == "nurture"
    assert not ScoreMark.objects.exists()


def test_where_the_definition_does_not_ask_nothing_is_marked(web, rita):
    buyer = capture_lead(web, company="Globex")
    capture_lead(web, company="Globex")
    won(buyer, rita, NOW + DAY)
    assert not ScoreMark.objects.exists()
