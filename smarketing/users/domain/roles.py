"""Roles and what each may do: the one table."""

from __future__ import annotations

from enum import StrEnum


class Side(StrEnum):
    """The two parties of the agreement."""

    MARKETING = "marketing"
    SALES = "sales"


class Role(StrEnum):
    """A person's job here; exactly one each."""

    REP = "rep"
    MARKETER = "marketer"
    SALES_MANAGER = "sales_manager"
    MARKETING_MANAGER = "marketing_manager"
    ADMIN = "admin"
    READ_ONLY = "read_only"


class Capability(StrEnum):
    """Something a role may do. Code asks for a capability, never for a role."""

    VIEW = "view"
    EDIT_LEADS = "edit_leads"
    CHANGE_OWNER = "change_owner"
    MERGE_RECORDS = "merge_records"
    LOG_ACTIVITY = "log_activity"
    EXPORT = "export"
    IMPORT = "import"
    DELIVER = "deliver"
    OVERRIDE_GATE = "override_gate"
    LIFT_TOMBSTONES = "lift_tombstones"
    ANSWER_OWN_HANDOFF = "answer_own_handoff"
    ANSWER_ANY_HANDOFF = "answer_any_handoff"
    APPEAL_RETURNS = "appeal_returns"
    RULE_APPEALS = "rule_appeals"
    EDIT_OPPORTUNITIES = "edit_opportunities"
    EDIT_CAMPAIGNS = "edit_campaigns"
    EDIT_FORMS = "edit_forms"
    RECORD_CONSENT = "record_consent"
    MANAGE_PRIVACY = "manage_privacy"
    EDIT_DEFINITION = "edit_definition"
    EDIT_STAGES = "edit_stages"
    EDIT_AGREEMENT = "edit_agreement"
    EDIT_CALENDAR = "edit_calendar"
    SIGN_MARKETING = "sign_marketing"
    SIGN_SALES = "sign_sales"
    MANAGE_USERS = "manage_users"
    MANAGE_KEYS = "manage_keys"
    READ_AUDIT = "read_audit"


C = Capability
_WORK = frozenset({C.VIEW, C.EDIT_LEADS, C.LOG_ACTIVITY, C.RECORD_CONSENT, C.EXPORT})
_REP = _WORK | {C.ANSWER_OWN_HANDOFF, C.EDIT_OPPORTUNITIES}
_MARKETER = _WORK | {C.DELIVER, C.APPEAL_RETURNS, C.EDIT_CAMPAIGNS, C.EDIT_FORMS, C.IMPORT}
_MANAGER = frozenset(
    {
        C.CHANGE_OWNER,
        C.RULE_APPEALS,
        C.LIFT_TOMBSTONES,
        C.MERGE_RECORDS,
        C.IMPORT,
        C.EDIT_DEFINITION,
        C.EDIT_STAGES,
        C.EDIT_AGREEMENT,
        C.EDIT_CALENDAR,
        C.READ_AUDIT,
    }
)

CAPABILITIES: dict[Role, frozenset[Capability]] = {
    Role.READ_ONLY: frozenset({C.VIEW}),
    Role.REP: _REP,
    Role.MARKETER: _MARKETER | {C.MERGE_RECORDS},
    Role.SALES_MANAGER: _REP | _MANAGER | {C.ANSWER_ANY_HANDOFF, C.SIGN_SALES},
    Role.MARKETING_MANAGER: _MARKETER | _MANAGER | {C.OVERRIDE_GATE, C.SIGN_MARKETING},
    # An admin runs the installation; signing stays with the two teams.
    Role.ADMIN: frozenset(C) - {C.SIGN_MARKETING, C.SIGN_SALES},
}

SIDE_OF_ROLE: dict[Role, Side | None] = {
    Role.REP: Side.SALES,
    Role.SALES_MANAGER: Side.SALES,
    Role.MARKETER: Side.MARKETING,
    Role.MARKETING_MANAGER: Side.MARKETING,
    Role.ADMIN: None,
    Role.READ_ONLY: None,
}


# How much a role can do to others: nobody grants or touches a level above their own.
LEVEL: dict[Role, int] = {
    Role.READ_ONLY: 0,
    Role.REP: 1,
    Role.MARKETER: 1,
    Role.SALES_MANAGER: 2,
    Role.MARKETING_MANAGER: 2,
    Role.ADMIN: 3,
}


def may(role: str, capability: Capability) -> bool:
    """Whether ``role`` has ``capability``; an unknown role may nothing."""
    try:
        return capability in CAPABILITIES[Role(role)]
    except ValueError:
        return False
