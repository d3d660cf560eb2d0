"""“My alerts”: what one asked to be told, what was told, and how soon somebody reacted."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from funnel import access
from funnel.forms.alerts import HoursForm, NewAlertForm, SnoozeForm, WishForm
from funnel.selectors import alerts as reads
from funnel.services import alerts
from leads.models import Company, Person
from smarketing.users.domain.roles import Capability
from smarketing.web import asks, keyset, query, rendering
from smarketing.web.asks import Ask
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast

LIST = "funnel:alerts"
HITS = 25
MOST_SHOWN = 500


@page(capability=Capability.VIEW)
def alert_page(request: Request) -> HttpResponse:
    """All of one's alerts, and below what they told, the latest first."""
    mine = list(reads.visible_to(request.user).order_by("stopped_at", "-pk")[:MOST_SHOWN])
    lines, total = reads.lines(request.user, mine, now=request.now)
    context = {
        "running": [line for line in lines if line.alert.stopped_at is None],
        "stopped": [line for line in lines if line.alert.stopped_at is not None],
        "total": total,
        "hours": reads.hours_of(request.user),
        **_hits(request),
    }
    fragments = {"alerts": "funnel/_alerts.html", "hits-more": "funnel/_alert_hits.html"}
    return rendering.page(request, "funnel/alerts.html", context, fragments=fragments)


@page(capability=Capability.VIEW)
def alert_hits(request: Request, pk: int) -> HttpResponse:
    """One alert with everything it told."""
    alert = access.alert(request.user, pk)
    (line,), _total = reads.lines(request.user, [alert], now=request.now)
    context = {"line": line, **_hits(request, alert=alert.pk)}
    return rendering.page(
        request, "funnel/alert.html", context, fragments={"hits-more": "funnel/_alert_hits.html"}
    )


@page(capability=Capability.VIEW, methods=["GET", "POST"])
def new(request: Request) -> HttpResponse:
    """Ask to be told; ``person`` and ``company`` in the address say about whom."""
    person, company = _about(request)
    form = NewAlertForm(
        asks.given(request),
        user=request.user,
        person=person,
        company=company,
        stages=list(reads.stages()),
        segments=list(reads.segments_of(request.user)),
    )
    back = _back(person, company)
    ask = Ask(_("Tell me when…"), _address(person, company), back, form, _("Tell me"))

    def save(given: dict[str, Any]) -> HttpResponse:
        alert = alerts.create(user=request.user, about=form.chosen(), **form.wish(), now=request.now)
        words = _("You will be told when %(sentence)s.") % {"sentence": reads.sentence(alert)}
        return rendering.redirect(request, back, toast=Toast(words, "ok"))

    return asks.answer(request, ask, save)


@page(capability=Capability.VIEW, methods=["GET", "POST"])
def edit(request: Request, pk: int) -> HttpResponse:
    """Change what an alert waits for."""
    alert = access.alert(request.user, pk)
    form = WishForm(request.POST) if request.method == "POST" else WishForm.of(alert)
    ask = Ask(
        _("Change the alert"),
        reverse("funnel:alert_edit", args=[pk]),
        reverse(LIST),
        form,
        _("Save"),
        about=reads.who(alert),
    )

    def save(given: dict[str, Any]) -> HttpResponse:
        alerts.change(alert=alert, changes=form.wish(), actor=request.user, now=request.now)
        return rendering.redirect(request, LIST, toast=Toast(_("Alert changed."), "ok"))

    return asks.answer(request, ask, save)


@page(capability=Capability.VIEW, methods=["GET", "POST"])
def snooze(request: Request, pk: int) -> HttpResponse:
    """Tell nothing for a while."""
    alert = access.alert(request.user, pk)
    form = SnoozeForm(asks.given(request))
    address = reverse("funnel:alert_snooze", args=[pk])
    ask = Ask(_("Snooze the alert"), address, reverse(LIST), form, _("Snooze"), about=reads.sentence(alert))

    def save(given: dict[str, Any]) -> HttpResponse:
        until = form.until(request.now)
        alerts.snooze(alert=alert, until=until, actor=request.user, now=request.now)
        toast = Toast(_("Snoozed."), "ok", reverse("funnel:alert_resume", args=[pk]))
        return rendering.redirect(request, LIST, toast=toast)

    return asks.answer(request, ask, save)


@page(capability=Capability.VIEW, methods=["POST"])
def stop(request: Request, pk: int) -> HttpResponse:
    """Tell nothing any more, with Undo."""
    alert = access.alert(request.user, pk)
    alerts.stop(alert=alert, actor=request.user, now=request.now)
    toast = Toast(_("Stopped."), "ok", reverse("funnel:alert_resume", args=[pk]))
    return rendering.redirect(request, LIST, toast=toast)


@page(capability=Capability.VIEW, methods=["POST"])
def resume(request: Request, pk: int) -> HttpResponse:
    """Wake an alert."""
    alert = access.alert(request.user, pk)
    alerts.resume(alert=alert, actor=request.user, now=request.now)
    return rendering.redirect(request, LIST, toast=Toast(_("You will be told again."), "ok"))


@page(capability=Capability.VIEW, methods=["GET", "POST"])
def hours(request: Request) -> HttpResponse:
    """Quiet hours and the time of the digest."""
    kept = reads.hours_of(request.user)
    now_kept = {name: getattr(kept, name) for name in HoursForm.base_fields}
    form = HoursForm(asks.given(request), initial=now_kept)
    about = _("On your wall clock (%(zone)s). What happens in quiet hours is told after them, as one.")
    ask = Ask(
        _("Quiet hours and digest"),
        reverse("funnel:alert_hours"),
        reverse(LIST),
        form,
        _("Save"),
        about=about % {"zone": request.user.time_zone},
    )

    def save(given: dict[str, Any]) -> HttpResponse:
        alerts.set_hours(user=request.user, **given, now=request.now)
        return rendering.redirect(request, LIST, toast=Toast(_("Saved."), "ok"))

    return asks.answer(request, ask, save)


def _hits(request: Request, **only: Any) -> dict[str, Any]:
    cursor = request.GET.get("cursor") or None
    found = keyset.paginate(
        reads.hits_of(request.user).filter(**only), ordering=["-raised_at"], cursor=cursor, limit=HITS
    )
    more = query.changed(request.GET, cursor=found.next) if found.next else ""
    return {"hits": found.rows, "next_url": more, "path": request.path}


def _about(request: Request) -> tuple[Person | None, Company | None]:
    person_pk, company_pk = request.GET.get("person", ""), request.GET.get("company", "")
    if person_pk.isdecimal():
        person = access.person(request.user, int(person_pk))
        return person, person.company
    return None, access.company(request.user, int(company_pk)) if company_pk.isdecimal() else None


def _address(person: Person | None, company: Company | None) -> str:
    address = reverse("funnel:alert_new")
    if person is not None:
        return f"{address}?person={person.pk}"
    return f"{address}?company={company.pk}" if company is not None else address


def _back(person: Person | None, company: Company | None) -> str:
    if person is not None:
        return reverse("leads:person", args=[person.pk])
    return reverse("leads:company", args=[company.pk]) if company is not None else reverse(LIST)
