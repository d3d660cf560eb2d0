"""How one wants to be told: by kind of notice, and at which hours."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.translation import gettext as _

from smarketing.core.errors import DomainError
from smarketing.notifications.selectors import preferences as reads
from smarketing.notifications.services import preferences
from smarketing.users.domain.roles import Capability
from smarketing.web import rendering
from smarketing.web.forms import refusals
from smarketing.web.forms.notices import NoticesForm, initial
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast


@page(capability=Capability.VIEW, methods=["GET", "POST"])
def edit(request: Request) -> HttpResponse:
    """Show and save what the user chose."""
    user = request.user
    first = initial(reads.hours_of(user), reads.choices_of(user))
    form = NoticesForm(request.POST or None, initial=first)
    if request.method == "POST" and form.is_valid():
        try:
            preferences.choose(
                user=user,
                choices=form.wishes(),
                hours=form.hours(),
                version=form.cleaned_data["version"],
                now=request.now,
            )
            return rendering.redirect(request, "web:notices", toast=Toast(_("Saved."), tone="ok"))
        except DomainError as error:
            refusals.add_error(form, error)
    return rendering.page(request, "web/notices.html", {"form": form}, status=422 if form.errors else 200)
