"""Columns are recognised by name, whatever their case and spacing, and never twice."""

from __future__ import annotations

import pytest

from leads.domain import columns, salesforce
from leads.domain.columns import MappingProblem


def fields(
    kind: str, *header: str, maps: tuple[str, ...] = (), blank: tuple[int, ...] = ()
) -> dict[str, str]:
    found = columns.recognise(kind, header, maps, blank=blank)
    return {field: header[position] for field, position in found.fields.items()}


@pytest.mark.parametrize("name", ["First Name", "first_name", "FIRSTNAME", "FirstName", "property_firstname"])
def test_spelling_of_a_header_does_not_matter(name: str) -> None:
    assert fields("people", name)["first_name"] == name


def test_headers_of_the_issue_are_recognised() -> None:
    assert fields(
        "opportunities",
        *("opportunity_id", "sales_agent", "product", "account", "deal_stage", "engage_date", "close_date"),
        "close_value",
    ) == {
        "external_id": "opportunity_id",
        "owner": "sales_agent",
        "product": "product",
        "company": "account",
        "stage": "deal_stage",
        "opened_at": "engage_date",
        "closed_at": "close_date",
        "amount": "close_value",
    }
    assert fields("leads", "mql_id", "first_contact_date", "landing_page_id", "origin") == {
        "external_id": "mql_id",
        "captured_at": "first_contact_date",
        "landing_page": "landing_page_id",
        "origin": "origin",
    }
    assert fields("opportunities", "mql_id", "won_date") == {
        "external_id": "mql_id",
        "lead_ref": "mql_id",
        "won_at": "won_date",
    }


def test_headers_of_hubspot_exports_are_recognised() -> None:
    header = (
        *("Record ID", "First Name", "Last Name", "Email", "Phone Number", "Company Name", "Job Title"),
        *("Contact owner", "Lifecycle Stage", "Lead Status", "Original Source", "Create Date", "Website URL"),
    )
    found = fields("leads", *header)
    assert found["external_id"] == "Record ID"
    assert found["company"] == "Company Name"
    assert found["owner"] == "Contact owner"
    assert found["stage"] == "Lifecycle Stage"
    assert found["origin"] == "Original Source"
    assert found["captured_at"] == "Create Date"


def test_headers_of_salesforce_reports_are_recognised() -> None:
    found = fields(
        "leads", "First Name", "Company / Account", "Lead Source", "Lead Status", "Lead Owner", "Lead ID"
    )
    assert found["company"] == "Company / Account"
    assert found["origin"] == "Lead Source"
    assert found["stage"] == "Lead Status"
    assert found["owner"] == "Lead Owner"


def test_a_custom_field_goes_after_one_of_the_system() -> None:
    assert fields("leads", "External_id__c", "Id")["external_id"] == "Id"


def test_a_blank_column_goes_after_one_that_holds_something() -> None:
    header = ("CampaignId", "Email", "FirstRespondedDate", "CreatedDate")
    assert fields("touchpoints", *header)["occurred_at"] == "FirstRespondedDate"
    assert fields("touchpoints", *header, blank=(2,))["occurred_at"] == "CreatedDate"


def test_a_mapping_by_hand_goes_first_and_can_leave_a_column_out() -> None:
    assert fields("people", "Mail", "Other", maps=("Other=email",))["email"] == "Other"
    assert "email" not in fields("people", "Mail", maps=("Mail=-",))


@pytest.mark.parametrize("wrong", ["Nothing=email", "Mail=nothing", "Mail"])
def test_a_mapping_of_what_is_not_there_is_refused(wrong: str) -> None:
    with pytest.raises(MappingProblem):
        columns.recognise("people", ("Mail",), (wrong,))


def test_what_is_missing_is_named() -> None:
    assert "external id" in columns.recognise("opportunities", ("qux", "quux")).missing()
    assert columns.recognise("leads", ("Email",)).missing() == ""


def test_short_and_long_salesforce_ids_are_one() -> None:
    assert salesforce.long_id("00QEc00000BBaeX") == "00QEc00000BBaeXMAT"
    assert salesforce.long_id("00QEc00000BBaeXMAT") == "00QEc00000BBaeXMAT"
    assert salesforce.long_id("ABCDEFGHIJKLMNO") == "ABCDEFGHIJKLMNO"
    assert salesforce.is_id("00QEc00000BBaeXMAT")
    assert not salesforce.is_id("00QEc00000BBaeXMAA")
