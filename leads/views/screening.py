"""Which traffic is not counted, and how much that was."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads.domain import screening as rules
from leads.forms.screening import ScreeningForm
from leads.selectors import screening as reads
from leads.services import screening
from smarketing.core.errors import DomainError
from smarketing.users.domain.roles import Capability
from smarketing.web import rendering
from smarketing.web.forms import refusals
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast

_REASONS = {
    rules.ROBOT: gettext_lazy("Robots: crawlers, monitors and preview makers"),
    rules.INTERNAL_NETWORK: gettext_lazy("Visits from our networks"),
    rules.INTERNAL_HOST: gettext_lazy("Pages of hosts that are no public site"),
}


@page(capability=Capability.EDIT_CAMPAIGNS, methods=["GET", "POST"])
def screening_page(request: Request) -> HttpResponse:
    """Our networks and hosts, and what was dropped in the last thirty days."""
    initial = ScreeningForm.initial_of(reads.stored())
    form = ScreeningForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        try:
            screening.update(
                networks=given["networks"],
                hosts=given["hosts"],
                lead_sources=given["lead_sources"],
                expected_version=given["version"],
                actor=request.user,
                now=request.now,
            )
        except DomainError as error:
            refusals.add_error(form, error)
        else:
            return rendering.redirect(request, "leads:screening", toast=Toast(_("Saved."), "ok"))
    dropped = [(_REASONS[reason], events) for reason, events in reads.dropped(now=request.now).items()]
    context = {"form": form, "dropped": dropped, "days": reads.DAYS}
    return rendering.page(request, "leads/screening.html", context, status=422 if form.errors else 200)
