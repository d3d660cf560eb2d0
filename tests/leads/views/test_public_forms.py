"""A form as the world uses it: hosted page, plain posts, JSON, Web-to-Lead, HubSpot's API."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.http import HttpResponse
from django.test import Client
from time_machine import travel

from leads.domain import form_layouts
from leads.models import (
    Campaign,
    ConsentEntry,
    Event,
    Form,
    FormDay,
    FormSubmission,
    Lead,
    Person,
    Source,
    Touchpoint,
)
from leads.selectors import consents as allowed
from leads.selectors import form_tokens
from leads.services import campaigns, forms, leads, submissions
from leads.services.people import PersonInput
from smarketing.core import clock
from smarketing.notifications.models import Outbox
from smarketing.users.models import User
from tests.leads.forms import BROWSER, FIELDS, GIVEN, published

pytestmark = pytest.mark.django_db
SITE = "https://www.example.com"
NEWS = {"purpose": "newsletter", "text": "Yes, send me the newsletter."}


@pytest.fixture(autouse=True)
def no_limits(db: None) -> None:
    caches["counters"].clear()


@pytest.fixture
def stranger() -> Client:
    return Client(enforce_csrf_checks=True, **BROWSER)


def form_of(**more: Any) -> Form:
    return published(clock.now(), **more)


def token_in(page: Any) -> str:
    found = re.search(r'name="_t" value="([^"]+)"', page.content.decode())
    assert found is not None
    return found[1]


def nothing_was_stored() -> bool:
    models = (FormSubmission, Person, Lead, Touchpoint, ConsentEntry, Event)
    return not any(model.objects.exists() for model in models)


def test_an_answer_becomes_a_lead_with_consent_touches_and_event(stranger: Client, rita: User) -> None:
    spring = campaigns.create(name="Spring", actor=rita, now=clock.now())
    form = form_of(layout={"consents": [NEWS]}, campaign=spring, notify=rita, content="Demo")
    page = stranger.get(f"/f/{form.key}/")
    assert page.status_code == 200
    given = {
        **GIVEN,
        "heard": "A friend",
        "need": "Sensors",
        "consent_newsletter": "yes",
        "_t": token_in(page),
        "_page": f"{SITE}/demo?utm_source=google&utm_medium=cpc&utm_campaign=q1&gclid=Abc",
        "_ref": "https://www.google.com/",
        "_aid": "anon-1",
    }
    answer = stranger.post(f"/f/{form.key}/", given)
    assert (answer.status_code, answer["Location"]) == (303, f"/f/{form.key}/thanks/")
    submission = FormSubmission.objects.get()
    assert (submission.state, submission.road, submission.made_lead) == ("applied", "hosted", True)
    assert submission.raw["fields"]["email"] == ["ada@engines.example"]
    lead = Lead.objects.select_related("person", "company", "channel").get()
    assert submission.lead == lead
    assert (lead.person.name, lead.company.name, lead.description) == (
        "Ada Lovelace",
        "Analytical Engines",
        "Sensors",
    )
    assert (lead.channel.code, lead.campaign, lead.source.code) == ("paid_search", spring, "forms")
    heard, demo = Touchpoint.objects.select_related("channel").order_by("-is_self_reported")
    assert (heard.title, heard.channel.code, heard.is_self_reported) == ("A friend", "other", True)
    assert (demo.title, demo.channel.code, demo.kind, demo.referrer) == (
        "Demo", "paid_search", "form", "https://www.google.com/",
    )  # fmt: skip
    assert demo.parameters == {
        "utm_source": "google", "utm_medium": "cpc", "utm_campaign": "q1", "gclid": "Abc",
    }  # fmt: skip
    event = Event.objects.get()
    assert (event.kind, event.name, event.anonymous_id, event.person_id) == (
        "form", "Request a demo", "anon-1", lead.person_id,
    )  # fmt: skip
    consent = ConsentEntry.objects.select_related("text").get()
    assert (consent.state, consent.text.text, consent.address) == (
        "granted",
        NEWS["text"],
        "ada@engines.example",
    )
    assert consent.evidence["submission"] == submission.pk
    told = Outbox.objects.get(topic="form.answered")
    assert told.notice["user_ids"] == [rita.pk]
    assert allowed.may_contact(lead.person, purpose="newsletter").allowed


def test_faults_come_back_beside_the_fields_and_nothing_is_stored(stranger: Client) -> None:
    form = form_of(layout={"consents": [{**NEWS, "required": True}]})
    given = {
        **GIVEN,
        "last": " ",
        "email": "nonsense",
        "phone": "no digits",
        "_t": token_in(stranger.get(f"/f/{form.key}/")),
    }
    answer = stranger.post(f"/f/{form.key}/", given)
    text = answer.content.decode()
    assert answer.status_code == 422
    for words in (
        "This field is required.",
        "is not an e-mail address",
        "is not a phone number",
        "Without this we",
    ):
        assert words in text, words
    assert 'value="Ada"' in text
    assert nothing_was_stored()


def test_the_same_rendering_sent_twice_is_one_answer(stranger: Client) -> None:
    form = form_of()
    token = token_in(stranger.get(f"/f/{form.key}/"))
    for _ in range(3):
        assert stranger.post(f"/f/{form.key}/", {**GIVEN, "_t": token}).status_code == 303
    assert (FormSubmission.objects.count(), Lead.objects.count(), Event.objects.count()) == (1, 1, 1)


def test_plain_html_of_any_site_is_taken_and_a_double_click_is_one(stranger: Client) -> None:
    form = form_of()
    for _ in range(2):
        answer = stranger.post(
            f"/f/{form.key}", GIVEN, headers={"Origin": SITE, "Referer": f"{SITE}/contact"}
        )
        assert answer.status_code == 303
    submission = FormSubmission.objects.get()
    assert (submission.road, submission.page_url, submission.state) == ("html", f"{SITE}/contact", "applied")


def test_a_form_with_sites_takes_no_answers_of_others(stranger: Client) -> None:
    form = form_of(sites=[SITE])
    for origin in ("https://evil.example", "null", "https://www.example.com.evil.example"):
        assert stranger.post(f"/f/{form.key}/", GIVEN, headers={"Origin": origin}).status_code == 403, origin
    assert nothing_was_stored()
    assert stranger.post(f"/f/{form.key}/", GIVEN, headers={"Origin": SITE}).status_code == 303
    page = stranger.get(f"/f/{form.key}/?embed=1")
    assert f"frame-ancestors {SITE}" in page["Content-Security-Policy"]
    assert "X-Frame-Options" not in page
    elsewhere = stranger.get("/accounts/login/")
    assert "frame-ancestors 'none'" in elsewhere["Content-Security-Policy"]
    assert elsewhere["X-Frame-Options"] == "DENY"


def test_a_form_that_is_off_or_unpublished_is_not_there(stranger: Client, now: datetime) -> None:
    form = form_of()
    forms.update(form=form, changes={"is_active": False}, actor=None, now=clock.now())
    draft = forms.create(name="Draft", actor=None, now=clock.now())
    for key in (form.key, draft.key, "nothing"):
        assert stranger.get(f"/f/{key}/").status_code == 404
        assert stranger.post(f"/f/{key}/", GIVEN).status_code == 404
    assert nothing_was_stored()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"_trap": "x"}, "trap"),
        ({"need": "https://a.example https://b.example www.c.example [url=d]"}, "links"),
    ],
)
def test_doubtful_answers_wait_for_a_person(
    stranger: Client, change: dict[str, str], reason: str, mara: User
) -> None:
    form = form_of()
    answer = stranger.post(f"/f/{form.key}/", {**GIVEN, **change})
    assert answer.status_code == 303  # a program is not told what gave it away
    submission = FormSubmission.objects.get()
    assert (submission.state, submission.reason) == ("quarantined", reason)
    assert not Lead.objects.exists()
    released = submissions.release(submission=submission, actor=mara, now=clock.now())
    assert (released.state, released.decided_by) == ("applied", mara)
    assert Lead.objects.get().person.name == "Ada Lovelace"
    with pytest.raises(submissions.AlreadyDecided):
        submissions.discard(submission=submission, actor=mara, now=clock.now())


def test_an_answer_faster_than_a_person_waits(stranger: Client, mara: User) -> None:
    form = form_of(min_seconds=3)
    stranger.post(f"/f/{form.key}/", {**GIVEN, "_t": token_in(stranger.get(f"/f/{form.key}/"))})
    submission = FormSubmission.objects.get()
    assert submission.reason == "too_fast"
    slow = form_tokens.make(form, now=clock.now() - timedelta(seconds=4))
    stranger.post(f"/f/{form.key}/", {**GIVEN, "email": "b@engines.example", "_t": slow})
    assert FormSubmission.objects.latest("pk").state == "applied"
    discarded = submissions.discard(submission=submission, actor=mara, now=clock.now())
    assert discarded.state == "discarded"
    assert submissions.restore(submission=submission, actor=mara, now=clock.now()).state == "quarantined"


def test_the_same_words_over_and_over_wait(stranger: Client) -> None:
    form = form_of()
    for number in range(5):
        stranger.post(f"/f/{form.key}/", GIVEN, REMOTE_ADDR=f"198.51.100.{number}")
    states = list(FormSubmission.objects.order_by("pk").values_list("state", "reason"))
    assert states == [("applied", "")] * 3 + [("quarantined", "repeated")] * 2


def test_a_flood_is_turned_away_and_told_when_to_come_back(stranger: Client) -> None:
    form = form_of()

    def post(name: str) -> HttpResponse:
        answer: HttpResponse = stranger.post(f"/f/{form.key}/", {**GIVEN, "email": f"{name}@engines.example"})
        return answer

    minute = clock.now().replace(second=15, microsecond=0)
    with travel(minute, tick=False):
        statuses = [post(f"n{n}").status_code for n in range(30)]
        assert statuses == [303] * 20 + [429] * 10
        assert FormSubmission.objects.count() == 20
        assert post("z")["Retry-After"] == "45"
    with travel(minute + timedelta(seconds=45), tick=False):
        assert post("z").status_code == 303


def test_public_addresses_leak_nothing_about_anybody(stranger: Client, web: Source, now: datetime) -> None:
    leads.capture(
        source=web,
        person=PersonInput(
            first_name="Grace", last_name="Hopper", emails=["grace@navy.example"], phones=["+1 202 555 0143"]
        ),
        captured_at=now,
        actor=None,
        now=now,
    )
    form = form_of()
    known = {**GIVEN, "email": "grace@navy.example", "first": "", "last": "X"}
    answers = [
        stranger.get(f"/f/{form.key}/?email=grace@navy.example"),
        stranger.post(f"/f/{form.key}/", {**known, "last": ""}),
        stranger.post(f"/f/{form.key}/", known, follow=True),
        stranger.get(f"/f/{form.key}/"),
    ]
    for answer in answers:
        assert not [s for s in ("Grace", "Hopper", "555 0143", "Navy") if s in answer.content.decode()]


def test_a_progressive_question_is_not_asked_again_in_the_browser_that_answered(stranger: Client) -> None:
    form = form_of()
    assert 'name="firm"' in stranger.get(f"/f/{form.key}/").content.decode()
    stranger.post(f"/f/{form.key}/", {**GIVEN, "_t": token_in(stranger.get(f"/f/{form.key}/"))})
    page = stranger.get(f"/f/{form.key}/").content.decode()
    assert 'name="firm"' not in page
    assert 'name="email"' in page
    assert "Analytical" not in page
    kept = stranger.cookies[f"form-{form.key}"]
    assert "engines" not in kept.value
    assert (kept["path"], kept["httponly"]) == (f"/f/{form.key}/", True)
    assert 'name="firm"' in Client(**BROWSER).get(f"/f/{form.key}/").content.decode()


def test_looking_counts_views_of_people_and_changes_nothing_else(stranger: Client) -> None:
    form = form_of()
    for agent in ("Mozilla/5.0 Firefox/150.0", "Mozilla/5.0 Firefox/150.0", "Googlebot/2.1", ""):
        stranger.get(f"/f/{form.key}/", HTTP_USER_AGENT=agent)
    stranger.head(f"/f/{form.key}/")
    assert FormDay.objects.get().views == 2
    assert nothing_was_stored()
    assert not stranger.cookies


EVIL = (
    "https://evil.example", "//evil.example", "/\\evil.example", "https:evil.example", "https:/evil.example",
    "http://www.example.com@evil.example", "https://www.example.com.evil.example", "javascript:alert(1)",
    "https://www.example.com\\@evil.example", "\thttps://evil.example",
    "https://evil.example\r\nSet-Cookie: a=b",
    "https://www.example.com%2eevil.example", "https://evil.example#www.example.com", "data:text/html,x",
    "https://evil.example?www.example.com", "https://[::1]", "https://www.example.com:99999/", "ftp://www.example.com",
    "https://wwwéexample.com", "https:///www.example.com", "https://www.example.com\x00.evil.example",
    "%09//evil.example",
    "https://WWW.EXAMPLE.COM.", "https://user:pw@www.example.com",
)  # fmt: skip


@pytest.mark.parametrize("target", EVIL)
def test_no_address_leads_elsewhere(stranger: Client, target: str) -> None:
    form = form_of(redirect_hosts=["www.example.com"])
    given = {**GIVEN, "retURL": target}
    assert stranger.post(f"/f/{form.key}/", given)["Location"] == f"/f/{form.key}/thanks/"
    answer = stranger.post(
        "/servlet/servlet.WebToLead", {"oid": form.key, "email": "x@y.example", "retURL": target}
    )
    assert (answer.status_code, "Location" in answer) == (200, False)
    words = {"title": "x", "fields": FIELDS, "redirect_url": target}
    forms.save_draft(form=form, layout=form_layouts.read(words), actor=None, now=clock.now())
    with pytest.raises(forms.BadForm):
        forms.publish(form=form, actor=None, now=clock.now())


def test_an_allowed_address_is_gone_to(stranger: Client) -> None:
    form = form_of(
        redirect_hosts=["www.example.com"], layout={"redirect_url": "https://www.example.com/thanks?a=1"}
    )
    answer = stranger.post(f"/f/{form.key}/", GIVEN)
    assert (answer.status_code, answer["Location"]) == (303, "https://www.example.com/thanks?a=1")
    assert (
        "form-action 'self' https://www.example.com"
        in stranger.get(f"/f/{form.key}/")["Content-Security-Policy"]
    )


def test_json_of_a_script(stranger: Client) -> None:
    form = form_of(sites=[SITE])
    body = {
        "fields": {"email": "ada@engines.example", "last": "Lovelace", "phone": None},
        "context": {"page": f"{SITE}/p?utm_source=news&utm_medium=email", "anonymous_id": "a1"},
        "id": "order-1",
    }

    def send(value: Any) -> Any:
        return stranger.post(
            f"/f/{form.key}", json.dumps(value), content_type="application/json", headers={"Origin": SITE}
        )

    preflight = stranger.options(
        f"/f/{form.key}", headers={"Origin": SITE, "Access-Control-Request-Headers": "content-type"}
    )
    assert (preflight.status_code, preflight["Access-Control-Allow-Headers"]) == (204, "content-type")
    first, again = send(body), send(body)
    assert (first.status_code, first.json()["status"], first["Access-Control-Allow-Origin"]) == (
        201,
        "received",
        SITE,
    )
    assert again.status_code == 201
    assert FormSubmission.objects.get().road == "json"
    assert Lead.objects.get().channel.code == "email"
    wrong = send({"fields": {"email": "x"}})
    assert wrong.status_code == 422
    assert {e["pointer"] for e in wrong.json()["errors"]} == {"/fields/email", "/fields/last"}
    for bad in ("[1]", "{", '"x"', "[" * 5000):
        refused = stranger.post(
            f"/f/{form.key}", bad, content_type="application/json", headers={"Origin": SITE}
        )
        assert 400 <= refused.status_code < 500, bad[:10]
    assert FormSubmission.objects.count() == 1


def test_double_opt_in_keeps_the_consent_waiting(stranger: Client) -> None:
    form = form_of(layout={"consents": [{**NEWS, "double_opt_in": True}]})
    stranger.post(f"/f/{form.key}/", {**GIVEN, "consent_newsletter": "yes"})
    person = Person.objects.get()
    assert not allowed.may_contact(person, purpose="newsletter").allowed
    link = Outbox.objects.get(topic="consent.confirmation_asked").notice["link"]
    stranger.post(link)
    assert allowed.may_contact(person, purpose="newsletter").allowed
    stranger.post(f"/f/{form.key}/", {**GIVEN, "consent_newsletter": "yes", "need": "again"})
    assert allowed.may_contact(person, purpose="newsletter").allowed
    assert ConsentEntry.objects.count() == 2


def test_web_to_lead_needs_only_another_host(stranger: Client, rita: User) -> None:
    form = form_of(redirect_hosts=["www.example.com"])
    fair = Campaign.objects.create(
        name="Fair", external_id="701000000000ABCXYZ", source=Source.objects.get(code="api")
    )
    given = {
        "oid": form.key, "retURL": "https://www.example.com/danke", "first_name": "Jörg", "last_name": "Groß",
        "email": "joerg@werk.example", "company": "Werk", "phone": "+49 30 901820",
        "lead_source": "Trade Show",
        "description": "Ruft bitte an", "Campaign_ID": "701000000000ABC", "member_status": "Responded",
        "00N30000009abcd": "blue", "debugEmail": "x@y.example",
    }  # fmt: skip
    answer = stranger.post("/servlet/servlet.WebToLead?encoding=UTF-8", given)
    assert (answer.status_code, answer["Location"]) == (302, "https://www.example.com/danke")
    lead = Lead.objects.select_related("person", "company").get()
    assert (lead.person.name, lead.company.name, lead.origin) == ("Jörg Groß", "Werk", "Trade Show")
    assert (lead.campaign, lead.description) == (fair, "Ruft bitte an")
    raw = FormSubmission.objects.get().raw["fields"]
    assert (raw["00N30000009abcd"], raw["member_status"]) == (["blue"], ["Responded"])


def test_web_to_lead_in_another_encoding_and_with_faults(stranger: Client) -> None:
    form = form_of()
    body = f"oid={form.key}&last_name=Gro%DF&email=gross%40werk.example"
    stranger.post(
        "/servlet/servlet.WebToLead?encoding=ISO-8859-1",
        body,
        content_type="application/x-www-form-urlencoded",
    )
    assert Person.objects.get().last_name == "Groß"
    told = stranger.post(
        "/servlet/servlet.WebToLead", {"oid": form.key, "last_name": "X", "email": "nope", "debug": "1"}
    )
    assert told.status_code == 200
    assert "state: quarantined" in told.content.decode()
    assert FormSubmission.objects.latest("pk").reason == "invalid"
    assert (
        stranger.post("/servlet/servlet.WebToLead", {"oid": "nothing", "email": "a@b.example"}).status_code
        == 400
    )
    assert stranger.get("/servlet/servlet.WebToLead").status_code == 405


def test_hubspots_form_api(stranger: Client) -> None:
    form = form_of(
        layout={
            "consents": [NEWS, {"purpose": "processing", "text": "You may process it."}],
            "thanks": "Danke!",
        }
    )
    address = f"/submissions/v3/integration/submit/62515/{form.guid}"
    body: dict[str, Any] = {
        "submittedAt": "1517927174000",
        "fields": [
            {"objectTypeId": "0-1", "name": "email", "value": "ada@engines.example"},
            {"objectTypeId": "0-1", "name": "firstname", "value": "Ada"},
            {"objectTypeId": "0-1", "name": "last", "value": "Lovelace"},
            {"objectTypeId": "0-1", "name": "jobtitle", "value": "Countess"},
        ],
        "context": {"hutk": "hut-1", "pageUri": f"{SITE}/hub?gclid=x", "pageName": "Hub"},
        "legalConsentOptions": {
            "consent": {
                "consentToProcess": True,
                "text": "I agree",
                "communications": [{"value": True, "subscriptionTypeId": 999, "text": NEWS["text"]}],
            }
        },
    }

    def send(value: Any) -> Any:
        return stranger.post(
            address, json.dumps(value), content_type="application/json", headers={"Origin": SITE}
        )

    answer = send(body)
    assert (answer.status_code, answer.json()) == (200, {"inlineMessage": "Danke!"})
    assert answer["Access-Control-Allow-Origin"] == SITE
    lead = Lead.objects.select_related("person", "channel").get()
    assert (lead.person.name, lead.person.title, lead.channel.code) == (
        "Ada Lovelace",
        "Countess",
        "paid_search",
    )
    assert sorted(ConsentEntry.objects.values_list("purpose__code", flat=True)) == [
        "newsletter",
        "processing",
    ]
    assert FormSubmission.objects.get().anonymous_id == "hut-1"
    wrong = send({"fields": [{"name": "email", "value": "nope"}]})
    assert wrong.status_code == 400
    assert {e["errorType"] for e in wrong.json()["errors"]} == {"INVALID_EMAIL", "REQUIRED_FIELD"}
    for bad in ({"fields": {}}, {"fields": [1]}, [], {"fields": [{"name": "a"}] * 1001}):
        assert send(bad).status_code == 400
    assert stranger.post(address[:-1] + "0" * 5, "{}", content_type="application/json").status_code == 404
    assert stranger.options(address, headers={"Origin": SITE}).status_code == 204
    assert FormSubmission.objects.count() == 1


def test_an_answer_survives_whatever_goes_wrong_after_it(
    stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = form_of()

    def broken(**_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(submissions.form_leads, "capture", broken)
        assert stranger.post(f"/f/{form.key}/", GIVEN).status_code == 303
        assert FormSubmission.objects.get().state == "received"
    later = clock.now() + timedelta(minutes=1)
    assert submissions.run_once(now=later, limit=10) == 1
    assert FormSubmission.objects.get().state == "applied"
    assert submissions.run_once(now=later, limit=10) == 0
    assert Lead.objects.count() == 1


def test_an_answer_that_can_never_be_applied_ends_as_failed(
    stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = form_of()

    def broken(**_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(submissions.form_leads, "capture", broken)
    stranger.post(f"/f/{form.key}/", GIVEN)
    later = clock.now() + timedelta(minutes=1)
    while submissions.run_once(now=later, limit=10):
        pass
    submission = FormSubmission.objects.get()
    assert (submission.state, submission.reason, submission.attempts) == ("failed", "ZeroDivisionError", 5)


def test_the_script_that_embeds_may_be_loaded_from_anywhere(stranger: Client) -> None:
    answer = stranger.get("/f/embed.js")
    assert answer["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "iframe" in answer.content.decode()
