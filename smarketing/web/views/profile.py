"""One's own name, zone, formats and preferences."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from smarketing.users.domain.roles import Capability
from smarketing.users.services import profiles
from smarketing.web import rendering
from smarketing.web.forms.profile import ProfileForm
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast

YEAR_SECONDS = 365 * 24 * 3600


@page(capability=Capability.VIEW, methods=["GET", "POST"])
def edit(request: Request) -> HttpResponse:
    """Show and save the profile. Theme and shortcuts belong to the device and live in cookies."""
    form = ProfileForm(request.POST or None, initial=_initial(request))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        profiles.change(
            user=request.user,
            name=given["name"],
            time_zone=given["time_zone"],
            locale=given["locale"],
            now=request.now,
        )
        response = rendering.redirect(request, "web:profile", toast=Toast(_("Saved."), tone="ok"))
        _remember(request, response, "theme", given["theme"])
        _remember(request, response, "shortcuts", "" if given["shortcuts"] else "off")
        return response
    status = 422 if form.errors else 200
    return rendering.page(request, "web/profile.html", {"form": form}, status=status)


def _initial(request: Request) -> dict[str, object]:
    user = request.user
    return {
        "name": user.name,
        "time_zone": user.time_zone,
        "locale": user.locale,
        "theme": request.COOKIES.get("theme", ""),
        "shortcuts": request.COOKIES.get("shortcuts") != "off",
    }


def _remember(request: HttpRequest, response: HttpResponse, name: str, value: str) -> None:
    if value:
        response.set_cookie(name, value, max_age=YEAR_SECONDS, samesite="Lax", secure=request.is_secure())
    else:
        response.delete_cookie(name, samesite="Lax")
