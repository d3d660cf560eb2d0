"""Composition of the REST interface: which nouns live under ``/api/v1/``."""

from __future__ import annotations

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.decorators import api_view, permission_classes
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from funnel.api.absences import AbsenceResource, RoutingDecisionResource
from funnel.api.accounts import AccountResource
from funnel.api.alerts import AlertHitResource, AlertResource
from funnel.api.appeals import AppealResource
from funnel.api.definitions import DefinitionResource
from funnel.api.handoffs import HandoffResource
from funnel.api.interests import CompanyInterestResource, InterestResource
from funnel.api.lead_batches import LeadBatchResource
from funnel.api.leads import LeadResource
from funnel.api.likelihoods import LikelihoodModelResource, LikelihoodResource
from funnel.api.nurtures import NurtureResource
from funnel.api.opportunities import OpportunityResource
from funnel.api.products import ProductResource
from funnel.api.questionnaires import QuestionnaireResource
from funnel.api.replays import ReplayResource
from funnel.api.routing import PoolResource, RoutingRuleResource
from funnel.api.single_view import SingleViewResource
from funnel.api.stages import OpportunityStageResource, StageResource
from funnel.api.tombstones import TombstoneResource
from funnel.api.transitions import TransitionResource
from leads.api.activities import ActivityResource
from leads.api.attributes import AttributeResource
from leads.api.campaigns import CampaignResource
from leads.api.channel_rules import ChannelRulesResource
from leads.api.companies import CompanyResource
from leads.api.consents import ConsentResource, PurposeResource
from leads.api.duplicates import DuplicateResource
from leads.api.events import PersonEventResource
from leads.api.forms import FormResource, SubmissionResource
from leads.api.imports import ImportResource
from leads.api.mails import MailResource, MailTemplateResource
from leads.api.merges import MergeResource
from leads.api.people import PersonResource
from leads.api.sessions import PersonSessionResource
from leads.api.timeline import CompanyTimelineResource, PersonTimelineResource
from leads.api.touchpoints import TouchpointResource
from leads.api.tracking import DeadLetterResource, SourceResource, WriteKeyResource
from reporting.api.reports import ReportResource
from sla.api.agreements import AgreementResource
from sla.api.calendars import CalendarResource, OwnHoursResource
from sla.api.clocks import ClockResource
from sla.api.commitments import CommitmentResource
from sla.api.meetings import MeetingResource
from sla.api.snoozes import SnoozeResource
from smarketing.web.api.audit import AuditEntryResource
from smarketing.web.api.notices import NoticesResource, TopicResource
from smarketing.web.api.notifications import NotificationResource
from smarketing.web.api.tokens import TokenResource
from smarketing.web.api.users import MeResource, TeamResource, UserResource
from smarketing.web.api.webhooks import DeliveryResource, WebhookResource
from smarketing.web.rest.routers import Router

router = Router()
# What programs ask for most stands first: an address is compared with one pattern after the other.
router.register("leads/bulk", LeadBatchResource, basename="lead-batch")
router.register("leads", LeadResource, basename="lead")
router.register("people", PersonResource, basename="person")
router.register("people/(?P<person>[0-9]{1,18})/events", PersonEventResource, basename="person-event")
router.register("people/(?P<person>[0-9]{1,18})/sessions", PersonSessionResource, basename="person-session")
router.register("companies", CompanyResource, basename="company")
router.register("merges", MergeResource, basename="merge")
router.register("duplicates", DuplicateResource, basename="duplicate")
router.register("attributes", AttributeResource, basename="attribute")
router.register("campaigns", CampaignResource, basename="campaign")
router.register("imports", ImportResource, basename="import")
router.register("channel-rules", ChannelRulesResource, basename="channel-rules")
router.register("touchpoints", TouchpointResource, basename="touchpoint")
router.register("sources", SourceResource, basename="source")
router.register("write-keys", WriteKeyResource, basename="write-key")
router.register("dead-letters", DeadLetterResource, basename="dead-letter")
router.register("consents", ConsentResource, basename="consent")
router.register("consent-purposes", PurposeResource, basename="consent-purpose")
router.register("forms", FormResource, basename="form")
router.register("submissions", SubmissionResource, basename="submission")
router.register("activities", ActivityResource, basename="activity")
router.register("mails", MailResource, basename="mail")
router.register("mail-templates", MailTemplateResource, basename="mail-template")
router.register("opportunities", OpportunityResource, basename="opportunity")
router.register("products", ProductResource, basename="product")
router.register("stages", StageResource, basename="stage")
router.register("transitions", TransitionResource, basename="transition")
router.register("opportunity-stages", OpportunityStageResource, basename="opportunity-stage")
router.register("appeals", AppealResource, basename="appeal")
router.register("handoffs", HandoffResource, basename="handoff")
router.register("replays", ReplayResource, basename="replay")
router.register("likelihoods", LikelihoodResource, basename="likelihood")
router.register("likelihood-models", LikelihoodModelResource, basename="likelihood-model")
router.register("alerts", AlertResource, basename="alert")
router.register("alerts/(?P<alert>[0-9]{1,18})/hits", AlertHitResource, basename="alert-hit")
router.register("routing-rules", RoutingRuleResource, basename="routing-rule")
router.register("routing-decisions", RoutingDecisionResource, basename="routing-decision")
router.register("pools", PoolResource, basename="pool")
router.register("absences", AbsenceResource, basename="absence")
router.register("accounts", AccountResource, basename="account")
router.register("interests", InterestResource, basename="interest")
router.register("company-interests", CompanyInterestResource, basename="company-interest")
router.register("nurtures", NurtureResource, basename="nurture")
router.register("tombstones", TombstoneResource, basename="tombstone")
router.register("definitions", DefinitionResource, basename="definition")
router.register("questionnaires", QuestionnaireResource, basename="questionnaire")
router.register("clocks", ClockResource, basename="clock")
router.register("snoozes", SnoozeResource, basename="snooze")
router.register("agreements", AgreementResource, basename="agreement")
router.register("commitments", CommitmentResource, basename="commitment")
router.register("calendars", CalendarResource, basename="calendar")
router.register("own-hours", OwnHoursResource, basename="own-hours")
router.register("meetings", MeetingResource, basename="meeting")
router.register("users", UserResource, basename="user")
router.register("teams", TeamResource, basename="team")
router.register("tokens", TokenResource, basename="token")
router.register("notifications", NotificationResource, basename="notification")
router.register("webhooks", WebhookResource, basename="webhook")
router.register("webhook-deliveries", DeliveryResource, basename="webhook-delivery")
router.register("audit-entries", AuditEntryResource, basename="audit-entry")


@extend_schema(exclude=True)
@api_view(["GET", "POST", "PATCH", "PUT", "DELETE"])
@permission_classes([AllowAny])
def no_such_address(request: Request, rest: str) -> Response:
    """Unknown addresses below ``/api/`` answer with a problem, not with a page."""
    raise Http404


# Swagger UI sets style attributes; scripts stay on 'self', and only this page is loosened.
@csp_update({"style-src": [SELF, UNSAFE_INLINE], "img-src": [SELF, "data:"]})
def docs(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document as a page."""
    return _swagger(request)


_swagger = SpectacularSwaggerSplitView.as_view(url_name="api-schema")

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/me/notices", NoticesResource.as_view({"get": "current", "patch": "choose"}), name="me-notices"),
    path("v1/webhook-topics", TopicResource.as_view({"get": "index"}), name="webhook-topics"),
    path("v1/me", MeResource.as_view({"get": "current"}), name="me"),
    path(
        "v1/people/<int:pk>/timeline",
        PersonTimelineResource.as_view({"get": "read"}),
        name="person-timeline",
    ),
    path("v1/people/<int:pk>/origin", SingleViewResource.as_view({"get": "origin"}), name="person-origin"),
    path(
        "v1/people/<int:pk>/footprint",
        SingleViewResource.as_view({"get": "footprint"}),
        name="person-footprint",
    ),
    path(
        "v1/companies/<int:pk>/timeline",
        CompanyTimelineResource.as_view({"get": "read"}),
        name="company-timeline",
    ),
    path("v1/reports", ReportResource.as_view({"get": "index"}), name="reports"),
    path("v1/reports/<slug:key>", ReportResource.as_view({"get": "compute"}), name="report"),
    path("v1/", include(router.urls)),
    path("schema", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs", docs, name="api-docs"),
    re_path(r"^(?P<rest>[\s\S]*)$", no_such_address),  # also what holds a line break
]
