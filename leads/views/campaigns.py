"""The list of campaigns and the page of one."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads import access
from leads.forms.filters import CampaignFilter
from leads.forms.records import NewCampaignForm
from leads.selectors import campaigns as campaign_rows
from leads.selectors import leads
from leads.services import campaigns
from leads.views import facts
from smarketing.core.errors import DomainError
from smarketing.users.domain.roles import Capability
from smarketing.web import lists, panels, rendering
from smarketing.web.forms import refusals
from smarketing.web.lists import Empty
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast
from smarketing.web.tables import Column, TableSpec

CAMPAIGNS = TableSpec(
    id="campaigns",
    caption=gettext_lazy("Campaigns"),
    default_sort="-starts",
    columns=(
        Column("name", gettext_lazy("Campaign"), sort="name"),
        Column("status", gettext_lazy("Status")),
        Column("channel", gettext_lazy("Channel")),
        Column("owner", gettext_lazy("Owner")),
        Column("starts", gettext_lazy("Starts"), sort="starts_on"),
        Column("budget", gettext_lazy("Budget"), sort="budget", numeric=True),
        Column("cost", gettext_lazy("Cost so far"), sort="actual_cost", numeric=True),
        Column("leads", gettext_lazy("Leads"), numeric=True),
    ),
)
LEADS = TableSpec(
    id="leads",
    caption=gettext_lazy("Leads of this campaign"),
    default_sort="-captured",
    columns=(
        Column("name", gettext_lazy("Lead")),
        Column("origin", gettext_lazy("Origin")),
        Column("channel", gettext_lazy("Channel")),
        Column("captured", gettext_lazy("Captured"), sort="captured_at"),
    ),
)


@page(capability=Capability.VIEW)
def campaign_list(request: Request) -> HttpResponse:
    """All campaigns, searched, filtered and sorted."""
    filterset = CampaignFilter(request.GET, queryset=campaign_rows.listed(request.user))
    may_edit = request.user.may(Capability.EDIT_CAMPAIGNS)
    empty = Empty(
        "megaphone",
        _("A campaign says which effort brought a lead, and what became of the leads it brought."),
        _("Add a campaign") if may_edit else "",
        reverse("leads:campaign_new") if may_edit else "",
    )
    return lists.render(
        request,
        "leads/campaigns.html",
        spec=CAMPAIGNS,
        filterset=filterset,
        row="leads/_campaign_row.html",
        empty=empty,
        context={"may_edit": may_edit},
    )


@page(capability=Capability.VIEW)
def campaign_page(request: Request, pk: int) -> HttpResponse:
    """A campaign and the leads it brought. Panels of ``campaign.main`` … get the campaign."""
    campaign = access.get_campaign(request.user, pk)
    context = {
        "campaign": campaign,
        "campaign_facts": facts.rows("campaign", campaign, request.user),
        "table": LEADS.bind(leads.of_campaign(request.user, campaign.pk), request.GET),
        "path": request.path,
        "panels_main": panels.build("campaign.main", campaign, viewer=request.user, now=request.now),
        "panels_side": panels.build("campaign.side", campaign, viewer=request.user, now=request.now),
    }
    parts = {"leads-more": "leads/_campaign_lead_rows.html", "list": "leads/_campaign_leads.html"}
    return rendering.page(request, "leads/campaign.html", context, fragments=parts)


@page(capability=Capability.EDIT_CAMPAIGNS, methods=["GET", "POST"])
def campaign_new(request: Request) -> HttpResponse:
    """Type in a campaign."""
    form = NewCampaignForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            campaign = campaigns.create(
                **form.cleaned_data, owner=request.user, actor=request.user, now=request.now
            )
        except DomainError as error:
            refusals.add_error(form, error)
        else:
            address = reverse("leads:campaign", args=[campaign.pk])
            return rendering.redirect(request, address, toast=Toast(_("Campaign added."), tone="ok"))
    status = 422 if form.errors else 200
    return rendering.page(request, "leads/campaign_new.html", {"form": form}, status=status)
