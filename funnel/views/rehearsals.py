"""A pool as it might be: the leads of last month given away again, and nothing is changed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpResponse

from funnel import access
from funnel.forms.rehearsals import RehearsalForm
from funnel.selectors import rehearsals
from smarketing.core.periods import of_dates
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User
from smarketing.users.selectors import organisation
from smarketing.web import rendering
from smarketing.web.pages import Request, page

MAY_SEE = Capability.CHANGE_OWNER


@page(capability=MAY_SEE)
def rehearsal(request: Request, pk: int) -> HttpResponse:
    """Other weights, capacities or members, and who would have got what."""
    pool = access.pool(request.user, pk, capability=MAY_SEE)
    zone = organisation.zone()
    last = request.now.astimezone(zone).date().replace(day=1) - timedelta(days=1)
    form = RehearsalForm(
        request.GET or None,
        owners=list(User.objects.owners().order_by("name", "pk")),
        present=rehearsals.present(pool),
        days=(last.replace(day=1), last),
    )
    context: dict[str, Any] = {"pool": pool, "form": form}
    if form.is_valid():
        given = form.cleaned_data
        period = of_dates(given["first"], given["last"], zone=zone)
        context["told"] = rehearsals.rehearse(pool, period, form.changed())
    return rendering.page(
        request,
        "funnel/rehearsal.html",
        context,
        fragments={"rehearsal": "funnel/_rehearsal.html"},
        status=422 if form.errors else 200,
    )
