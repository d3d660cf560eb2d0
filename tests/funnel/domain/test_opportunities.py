"""Deal stages under the names of other systems, and losing with a reason."""

from __future__ import annotations

import pytest

from funnel.domain import opportunities
from funnel.domain.opportunities import DealRefused, Outcome, recognise_stage


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Prospecting", "prospecting"),
        ("Engaging", "engaging"),
        ("Won", "won"),
        ("Lost", "lost"),
        ("Qualification", "prospecting"),
        ("Discovery", "prospecting"),
        ("Proposal/Quote", "proposal"),
        ("Proposal/Price Quote", "proposal"),
        ("Negotiation", "negotiation"),
        ("Negotiation/Review", "negotiation"),
        ("Id. Decision Makers", "engaging"),
        ("Closed Won", "won"),
        ("closed_lost", "lost"),
        ("closedwon", "won"),
        ("appointmentscheduled", "prospecting"),
        ("Decision Maker Bought-In", "proposal"),
        ("Contract Sent", "negotiation"),
        (" Closed  WON ", "won"),
    ],
)
def test_labels_of_other_systems(text, code):
    assert recognise_stage(text).code == code


@pytest.mark.parametrize("text", ["", "  ", "9203949", "Half won"])
def test_other_labels_are_not_guessed(text):
    assert recognise_stage(text) is None


def test_every_label_means_one_stage():
    labels = [label for labels in opportunities.LABELS.values() for label in labels.split()]
    assert len(labels) == len(set(labels))
    assert set(opportunities.LABELS) == set(opportunities.STAGE_BY_CODE)


def test_outcomes():
    assert opportunities.stage("won").outcome is Outcome.WON
    assert opportunities.stage("proposal").outcome is Outcome.OPEN


@pytest.mark.parametrize(
    ("reason", "field"),
    [
        ("", "lost_reason"),
        ("bored", "lost_reason"),
        ("competitor", "competitor"),
        ("missing_feature", "note"),
    ],
)
def test_a_loss_without_what_belongs_to_it_is_refused(reason, field):
    with pytest.raises(DealRefused) as refused:
        opportunities.check_loss(reason)
    assert refused.value.field == field


def test_a_loss_with_its_reason():
    assert opportunities.check_loss("competitor", competitor="Initech").code == "competitor"
