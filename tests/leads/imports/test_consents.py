"""What a file says of consent stands in the ledger, once, and goes with an undo."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leads.models import ConsentEntry, ConsentState, ImportRun, Person, PersonEmail
from leads.selectors import consents
from leads.services.imports import asking, execution
from smarketing.users.models import User
from tests.importing import NOW, counts, take
from tests.leads.imports.conftest import Written

pytestmark = pytest.mark.django_db

SALESFORCE = (
    "Id,FirstName,Email,HasOptedOutOfEmail,DoNotCall\n"
    "1,Ada,ada@example.com,TRUE,0\n2,Grace,grace@example.com,FALSE,1\n3,Alan,alan@example.com,,\n"
)


def of(email: str) -> Person:
    return PersonEmail.objects.get(email=email).person


@pytest.mark.parametrize("kind", ["people", "leads"])
def test_opt_outs_of_salesforce_close_their_channel_and_nothing_else(written: Written, kind: str) -> None:
    report = take(kind, written(SALESFORCE))
    assert report.mapping["HasOptedOutOfEmail"] == "no_email"
    assert not consents.may_contact(of("ada@example.com"), channel="email").allowed
    assert consents.may_contact(of("ada@example.com"), channel="phone").allowed
    assert not consents.may_contact(of("grace@example.com"), channel="phone").allowed
    assert consents.may_contact(of("alan@example.com"), channel="email").allowed
    entry = ConsentEntry.objects.get(person=of("ada@example.com"))
    assert (entry.state, entry.source, entry.evidence["row"]) == (ConsentState.WITHDRAWN, "import crm", 2)


def test_the_same_file_again_adds_no_entry(written: Written) -> None:
    take("people", written(SALESFORCE))
    before = ConsentEntry.objects.count()
    assert counts(take("people", written(SALESFORCE), now=NOW + timedelta(days=1))) == (0, 0, 3, 0)
    assert ConsentEntry.objects.count() == before == 3


def test_a_consent_names_its_purposes_and_its_time(written: Written) -> None:
    text = (
        "id,email,consent,consent date\n"
        "1,a@example.com,yes,2025-05-01\n2,b@example.com,newsletter; Advice by phone,\n"
        "3,c@example.com,no,\n4,d@example.com,everything,\n"
    )
    report = take("people", written(text))
    assert (counts(report), report.errors[0]["column"]) == ((3, 0, 0, 1), "consent")
    granted = {
        (entry.person_id, entry.purpose.code): f"{entry.occurred_at:%Y-%m-%d}"
        for entry in ConsentEntry.objects.filter(purpose__isnull=False).select_related("purpose")
        if entry.purpose
    }
    assert granted == {
        (of("a@example.com").pk, "newsletter"): "2025-05-01",
        (of("b@example.com").pk, "newsletter"): "2026-03-02",
        (of("b@example.com").pk, "calls"): "2026-03-02",
    }


def test_a_file_lifts_no_refusal_and_an_undo_takes_its_own_along(written: Written, mara: User) -> None:
    take("people", written("id,email\n1,ada@example.com\n"))
    take("people", written("id,email,do not contact\n1,ada@example.com,yes\n", "b.csv"), now=NOW)
    ada = of("ada@example.com")
    take("people", written("id,email,do not contact\n1,ada@example.com,no\n", "c.csv"), now=NOW)
    assert not consents.may_contact(ada, channel="post").allowed
    run = ImportRun.objects.order_by("pk")[1]
    asking.undo(run=run, actor=mara, now=NOW)
    execution.work(clock=lambda: NOW, watch=execution.unwatched)
    assert consents.may_contact(ada, channel="post").allowed
    assert not ConsentEntry.objects.exists()
