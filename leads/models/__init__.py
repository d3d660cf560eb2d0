"""Tables of the leads app."""

from leads.models.activity import Activity, ActivityKind, ActivityOutcome, Direction
from leads.models.attribute import AttributeDefinition, AttributeSubject, AttributeType
from leads.models.campaign import Campaign, CampaignKind, CampaignStatus
from leads.models.channel_rules import ChannelReview, ChannelRuleSet
from leads.models.company import Company, CompanyRef
from leads.models.consent import (
    ConsentEntry,
    ConsentState,
    ConsentText,
    ContactChannel,
    Purpose,
    SuppressedAddress,
)
from leads.models.duplicate import (
    Duplicate,
    DuplicateBand,
    DuplicateKind,
    DuplicateState,
    FinderState,
)
from leads.models.employment import Employment, EmploymentBasis
from leads.models.event import Event, EventKind, Screened
from leads.models.form import (
    Form,
    FormDay,
    FormRoad,
    FormSubmission,
    FormVersion,
    FormVersionState,
    SubmissionState,
)
from leads.models.identity import IdentityClaim, IdentityConflict, PersonTrait
from leads.models.imports import ImportBefore, ImportMapping, ImportRun, ImportState, ImportTrace
from leads.models.lead import Lead
from leads.models.mail import Mail, MailInbox, MailState, MailTemplate
from leads.models.merge import Merge, MergedRow
from leads.models.person import Person, PersonEmail, PersonPhone, PersonRef
from leads.models.privacy import Erasure, RetentionRule
from leads.models.screening import Screening
from leads.models.source import Channel, FromSource, Source, SourceKind
from leads.models.touchpoint import Touchpoint, TouchpointKind
from leads.models.tracking import (
    DaySalt,
    DeadLetter,
    EventInbox,
    IdentitySecret,
    InboxMinute,
    InboxStop,
    IntakeCount,
    KeyKind,
    WriteKey,
    WriteKeyUse,
)
from leads.models.visitor import Session, Visitor, VisitorJoin

__all__ = [
    "Activity",
    "ActivityKind",
    "ActivityOutcome",
    "AttributeDefinition",
    "AttributeSubject",
    "AttributeType",
    "Campaign",
    "CampaignKind",
    "CampaignStatus",
    "Channel",
    "ChannelReview",
    "ChannelRuleSet",
    "Company",
    "CompanyRef",
    "ConsentEntry",
    "ConsentState",
    "ConsentText",
    "ContactChannel",
    "DaySalt",
    "DeadLetter",
    "Direction",
    "Duplicate",
    "DuplicateBand",
    "DuplicateKind",
    "DuplicateState",
    "Erasure",
    "Employment",
    "EmploymentBasis",
    "Event",
    "EventInbox",
    "EventKind",
    "Form",
    "FormDay",
    "FormRoad",
    "FormSubmission",
    "FormVersion",
    "FormVersionState",
    "FinderState",
    "FromSource",
    "IdentityClaim",
    "IdentityConflict",
    "IdentitySecret",
    "ImportBefore",
    "ImportMapping",
    "ImportRun",
    "ImportState",
    "ImportTrace",
    "InboxMinute",
    "InboxStop",
    "IntakeCount",
    "KeyKind",
    "Lead",
    "Mail",
    "MailInbox",
    "MailState",
    "MailTemplate",
    "Merge",
    "MergedRow",
    "Person",
    "PersonEmail",
    "PersonPhone",
    "PersonRef",
    "PersonTrait",
    "Purpose",
    "RetentionRule",
    "Screened",
    "Screening",
    "Session",
    "Source",
    "SourceKind",
    "SubmissionState",
    "SuppressedAddress",
    "Touchpoint",
    "TouchpointKind",
    "Visitor",
    "VisitorJoin",
    "WriteKey",
    "WriteKeyUse",
]
