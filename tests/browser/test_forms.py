"""A form on somebody else's website in a real browser, and the builder by keyboard."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.core.cache import caches
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from funnel.services import alerts
from funnel.services.alerts import About
from leads.models import ConsentEntry, Form, FormSubmission, Lead, Source, Touchpoint
from leads.selectors import forms as reads
from leads.services import forms, leads
from leads.services.people import PersonInput
from smarketing.core import clock
from smarketing.notifications.models import Notification
from smarketing.notifications.services import outbox
from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from tests.browser.conftest import Open, accessibility_faults
from tests.leads.forms import FIELDS, published

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NEWS = {"purpose": "newsletter", "text": "Yes, send me the newsletter."}


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base
        """No lines on standard error."""


@pytest.fixture
def website(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A website of its own origin: its folder and address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield tmp_path, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def mara() -> User:
    return User.objects.create(email="mara@example.com", name="Mara Marketer", role=Role.MARKETER)


@pytest.mark.parametrize("tracker", ["sm_id", "ajs_anonymous_id"])
def test_a_form_embedded_elsewhere_becomes_a_lead_and_an_alert_within_five_seconds(
    tracker: str,
    chromium: Browser,
    live_server: LiveServer,
    settings: Any,
    website: tuple[Path, str],
    mara: User,
) -> None:
    caches["counters"].clear()
    settings.SITE_URL = live_server.url
    folder, site = website
    now = clock.now()
    known = leads.capture(
        source=Source.objects.get(code="web"),
        person=PersonInput(first_name="Ada", last_name="Lovelace", emails=["ada@engines.example"]),
        captured_at=now,
        actor=None,
        now=now,
    ).lead
    alerts.create(user=mara, about=About(person=known.person), trigger="form", now=now)
    form = published(
        now, sites=[site], layout={"fields": FIELDS, "consents": [NEWS], "thanks": "Thank you, Ada!"}
    )
    (folder / "index.html").write_text(
        f'<!doctype html><title>Site</title><body><script src="{live_server.url}/f/embed.js"'
        f' data-form="{form.key}" async></script>'
    )
    page = chromium.new_page()
    page.add_init_script(f"localStorage.setItem('{tracker}', '\"anon-77\"')")
    page.goto(f"{site}/?utm_source=google&utm_medium=cpc&utm_campaign=spring")
    frame = page.frame_locator("iframe")
    frame.get_by_label("Last name").fill("Lovelace")
    frame.get_by_label("E-mail").fill("ada@engines.example")
    frame.get_by_label("Yes, send me the newsletter.").check()
    began = time.monotonic()
    frame.get_by_role("button", name="Send").click()
    expect(frame.get_by_text("Thank you, Ada!")).to_be_visible()
    outbox.fan_out(now=clock.now(), limit=100)  # what the worker does on the nudge
    told = Notification.objects.get(user=mara, topic="alert.raised")
    assert time.monotonic() - began < 5
    assert "Ada Lovelace" in told.text
    submission = FormSubmission.objects.get()
    assert (submission.road, submission.state, submission.anonymous_id) == ("embedded", "applied", "anon-77")
    assert submission.page_url.startswith(f"{site}/?utm_source=google")
    lead = Lead.objects.get()
    assert submission.lead == lead
    touch = Touchpoint.objects.select_related("channel").latest("pk")
    assert (touch.channel.code, touch.parameters["utm_campaign"]) == ("paid_search", "spring")
    assert Touchpoint.objects.filter(person=lead.person).count() == 2  # how they came first, and this
    consent = ConsentEntry.objects.get()
    assert (consent.state, consent.text.text) == ("granted", NEWS["text"])
    page.close()


def test_no_other_site_may_show_the_form(
    chromium: Browser, live_server: LiveServer, website: tuple[Path, str]
) -> None:
    folder, site = website
    form = published(clock.now(), sites=["https://www.example.com"])
    (folder / "index.html").write_text(
        f'<title>x</title><iframe src="{live_server.url}/f/{form.key}/?embed=1"></iframe>'
    )
    page = chromium.new_page()
    page.goto(site)
    page.wait_for_timeout(500)
    assert page.frame_locator("iframe").get_by_label("E-mail").count() == 0
    page.close()


def test_the_builder_works_by_keyboard_and_is_accessible(
    visit: Open, mara: User, complaints: list[str]
) -> None:
    form = forms.create(name="Guide", actor=mara, now=clock.now())
    page = visit(mara, f"/forms/{form.pk}/edit/")
    page.locator("#down-f0").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".builder-what").first).to_have_text("Last name")
    expect(page.locator("#down-f0")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".builder-what").last).to_have_text("First name")
    page.locator("#new-target").select_option("lead.heard")
    page.locator("#add-field").press("Enter")
    expect(page.locator("#f3-label")).to_be_visible()
    page.locator("#f3-label").fill("How did you find us?")
    expect(page.locator("#form-preview").get_by_text("How did you find us?")).to_be_visible()
    assert accessibility_faults(page) == []
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("heading", name="Guide")).to_be_visible()
    names = [f.name for f in reads.layout_of(reads.published(Form.objects.get())).fields]
    assert names == ["last_name", "email", "first_name", "heard"]
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_public_page_is_accessible(chromium: Browser, live_server: LiveServer, scheme: str) -> None:
    form = published(clock.now(), layout={"consents": [NEWS]})
    context = chromium.new_context(
        color_scheme="dark" if scheme == "dark" else "light", viewport={"width": 390, "height": 844}
    )
    page = context.new_page()
    page.goto(f"{live_server.url}/f/{form.key}/")
    assert accessibility_faults(page) == []
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#form-errors")).to_be_focused()
    assert accessibility_faults(page) == []
    context.close()
