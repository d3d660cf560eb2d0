"""Making forms, and deciding about doubtful answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from leads.models import AttributeDefinition, Form, FormSubmission, FormVersion, Lead
from leads.selectors import forms as reads
from leads.services import forms
from smarketing.audit.models import AuditEntry
from smarketing.core import clock
from smarketing.users.models import User
from tests.leads.forms import BROWSER, GIVEN, published

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#form-builder"}
SignedIn = Callable[[User], Client]


def posted(form: Form, do: str, **changes: Any) -> dict[str, Any]:
    """The builder's page as it stands, with one button pressed."""
    draft = reads.draft(form) or reads.published(form)
    layout = reads.layout_of(draft)
    data: dict[str, Any] = {
        "title": layout.title,
        "version": draft.version if draft else "",
        "do": do,
        "field": [],
    }
    for number, each in enumerate(layout.fields):
        key = f"f{number}"
        data["field"].append(key)
        data |= {f"{key}-{n}": getattr(each, n) for n in ("name", "target", "label", "help", "default")}
        data |= {f"{key}-{n}": "on" for n in ("required", "hidden", "progressive") if getattr(each, n)}
    return data | changes


def names(form: Form) -> list[str]:
    return [f.name for f in reads.layout_of(reads.draft(form)).fields]


def test_a_marketer_makes_builds_and_publishes_a_form(signed_in: SignedIn, mara: User) -> None:
    client = signed_in(mara)
    made = client.post("/forms/new/", {"name": "Guide"})
    form = Form.objects.get()
    assert made["Location"] == f"/forms/{form.pk}/edit/"
    assert names(form) == ["first_name", "last_name", "email"]
    edit = f"/forms/{form.pk}/edit/"
    assert client.post(edit, posted(form, "save", title="The guide")).status_code == 303
    assert reads.layout_of(reads.draft(form)).title == "The guide"
    assert client.post(edit, posted(form, "publish")).status_code == 303
    version = FormVersion.objects.get()
    assert (version.state, version.number, version.published_by) == ("published", 1, mara)
    assert Client(**BROWSER).get(f"/f/{form.key}/").status_code == 200
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["form_created", "form_published"]
    again = posted(form, "publish", title="Better")
    assert client.post(edit, again).status_code == 303
    states = list(FormVersion.objects.order_by("number").values_list("number", "state"))
    assert states == [(1, "former"), (2, "published")]
    page = client.get(f"/forms/{form.pk}/").content.decode()
    assert f"data-form=&quot;{form.key}&quot;" in page


def test_rows_move_by_buttons_and_nothing_is_kept_before_saving(signed_in: SignedIn, mara: User) -> None:
    form = forms.create(name="Guide", actor=None, now=clock.now())
    client, edit = signed_in(mara), f"/forms/{form.pk}/edit/"
    moved = client.post(edit, posted(form, "down:f0"), headers=HTMX).content.decode()
    assert moved.index('value="f1"') < moved.index('value="f0"') < moved.index('value="f2"')
    assert "<html" not in moved
    dropped = client.post(edit, posted(form, "drop:f1")).content.decode()
    assert 'name="f1-label"' not in dropped
    added = client.post(
        edit, posted(form, "add:field", new_target="lead.heard"), headers=HTMX
    ).content.decode()
    assert 'name="f3-label"' in added
    assert names(form) == ["first_name", "last_name", "email"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"field": ["f0"]}, "Ask for an e-mail address or a phone number"),
        ({"f1-label": ""}, "Write something here."),
        ({"f1-name": "1x"}, "Use letters, digits"),
        ({"f1-name": "email"}, "This is in the form already."),
        ({"f2-hidden": "on"}, "The e-mail address tells who answers"),
        ({"f0-target": "person.password"}, "This does not exist any more."),
        ({"title": ""}, "Write something here."),
        ({"redirect_url": "https://evil.example"}, "This host is not among"),
        ({"consent": ["c0"], "c0-purpose": "newsletter", "c0-text": ""}, "Write something here."),
    ],
)
def test_what_is_wrong_is_told_while_editing_and_keeps_it_from_being_published(
    signed_in: SignedIn, mara: User, change: dict[str, Any], words: str
) -> None:
    form = forms.create(name="Guide", actor=None, now=clock.now())
    client = signed_in(mara)
    preview = client.post(f"/forms/{form.pk}/preview/", posted(form, "", **change))
    assert words in preview.content.decode()
    refused = client.post(f"/forms/{form.pk}/edit/", posted(form, "publish", **change))
    assert refused.status_code == 422
    assert words in refused.content.decode()
    assert reads.published(form) is None


def test_of_two_editors_the_second_is_told(signed_in: SignedIn, mara: User) -> None:
    form = forms.create(name="Guide", actor=None, now=clock.now())
    client, first = signed_in(mara), posted(form, "save", title="A")
    assert client.post(f"/forms/{form.pk}/edit/", first).status_code == 303
    second = client.post(f"/forms/{form.pk}/edit/", {**first, "title": "B"})
    assert second.status_code == 412
    assert reads.layout_of(reads.draft(form)).title == "A"


def test_custom_attributes_are_asked_and_stored(signed_in: SignedIn, mara: User) -> None:
    AttributeDefinition.objects.create(
        subject="lead", key="size", label="Size", type="choice", choices=["small", "large"]
    )
    fields = [
        {"name": "mail", "target": "person.email", "label": "E-mail"},
        {"name": "size", "target": "lead.attr.size", "label": "How large?"},
    ]
    form = published(clock.now(), layout={"fields": fields})
    stranger = Client(**BROWSER)
    assert "<option>large</option>" in stranger.get(f"/f/{form.key}/").content.decode()
    assert stranger.post(f"/f/{form.key}/", {"mail": "a@b.example", "size": "huge"}).status_code == 422
    assert stranger.post(f"/f/{form.key}/", {"mail": "a@b.example", "size": "large"}).status_code == 303
    assert Lead.objects.get().attributes == {"size": "large"}


def test_settings_are_checked(signed_in: SignedIn, mara: User) -> None:
    form = forms.create(name="Guide", actor=None, now=clock.now())
    client, address = signed_in(mara), f"/forms/{form.pk}/settings/"
    good = {
        "name": "Guide",
        "is_active": "on",
        "min_seconds": 3,
        "sites": "",
        "redirect_hosts": "",
        "version": 1,
    }
    bad = ({"sites": "https://a.example/path"}, {"redirect_hosts": "https://a.example"}, {"name": ""})
    for wrong in bad:
        assert client.post(address, {**good, **wrong}).status_code == 422, wrong
    ok = {**good, "sites": "www.a.example\nhttps://b.example:8443/", "redirect_hosts": "A.example"}
    assert client.post(address, ok).status_code == 303
    form.refresh_from_db()
    assert form.sites == ["https://www.a.example", "https://b.example:8443"]
    assert (form.redirect_hosts, form.min_seconds) == (["a.example"], 3)
    again = client.post(address, ok)  # it was read before the change
    assert (again.status_code, "Somebody else changed this" in again.content.decode()) == (422, True)


def test_the_quarantine_is_decided_by_who_edits_forms(signed_in: SignedIn, mara: User, rita: User) -> None:
    form = published(clock.now())
    stranger = Client(**BROWSER)
    for number in range(2):
        stranger.post(f"/f/{form.key}/", {**GIVEN, "email": f"n{number}@b.example", "_trap": "x"})
    one, two = FormSubmission.objects.order_by("pk")
    rep, marketer = signed_in(rita), signed_in(mara)
    assert rep.post(f"/answers/{one.pk}/release/").status_code == 403
    listed = marketer.get("/answers/?state=quarantined").content.decode()
    assert "n0@b.example" in listed
    assert "Filled in what only programs see" in listed
    assert "n0@b.example" in rep.get(f"/answers/{one.pk}/").content.decode()
    assert marketer.post(f"/answers/{one.pk}/release/").status_code == 303
    assert Lead.objects.count() == 1
    assert marketer.post(f"/answers/{two.pk}/discard/").status_code == 303
    two.refresh_from_db()
    assert (two.state, two.decided_by) == ("discarded", mara)
    assert marketer.post(f"/answers/{two.pk}/restore/").status_code == 303
    assert marketer.post(f"/answers/{one.pk}/discard/").status_code == 409
    shown = marketer.get("/forms/").content.decode()
    assert "Request a demo" in shown


def test_a_list_of_forms_asks_as_often_for_many_as_for_one(
    signed_in: SignedIn, mara: User, django_assert_max_num_queries: Any
) -> None:
    client = signed_in(mara)
    published(clock.now())
    client.get("/forms/")
    with django_assert_max_num_queries(30) as few:
        client.get("/forms/")
    for number in range(8):
        published(clock.now(), name=f"Form {number}")
    with django_assert_max_num_queries(len(few)):
        client.get("/forms/")
