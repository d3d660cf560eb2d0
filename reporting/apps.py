"""What it meant: reads everything, changes nothing but its own projections."""

from __future__ import annotations

from django.apps import AppConfig


class ReportingConfig(AppConfig):
    """Wires the app at start."""

    name = "reporting"
    label = "reporting"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from funnel import events as funnel  # noqa: PLC0415
        from leads import events as leads  # noqa: PLC0415
        from reporting import subscribers  # noqa: PLC0415
        from sla import events as sla  # noqa: PLC0415
        from smarketing.core.events import subscribe  # noqa: PLC0415

        subscribe(funnel.LeadsPlaced, subscribers.follow_leads)
        subscribe(leads.LeadsChanged, subscribers.follow_leads)
        subscribe(funnel.OpportunitiesImported, subscribers.follow_leads)
        for fact in (
            funnel.StageMoved,
            funnel.OwnerChanged,
            funnel.HandoffDelivered,
            funnel.HandoffAccepted,
            funnel.HandoffReturned,
            funnel.HandoffExpired,
            funnel.HandoffReopened,
        ):
            subscribe(fact, subscribers.follow_lead)
        for deal in (funnel.OpportunityOpened, funnel.OpportunityMoved):
            subscribe(deal, subscribers.follow_deal)
        subscribe(leads.ActivityLogged, subscribers.follow_attempt)
        for tick in (sla.ThresholdReached, sla.ClockEnded):
            subscribe(tick, subscribers.follow_clock)
