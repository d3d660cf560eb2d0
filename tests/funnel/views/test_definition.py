"""The definition in pages: read by all, drafted by managers, signed by both with their passwords."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict

from funnel.domain.definitions import default_document, digest
from funnel.forms import definitions as forms
from funnel.models import DefinitionSignature, DefinitionState, DefinitionVersion, Filling
from funnel.services import definitions, rescoring
from smarketing.users.models import User
from tests.funnel.conftest import NOW
from tests.funnel.views.conftest import HTMX, SignedIn

PASSWORD = "a long enough pass phrase"  # noqa: S105 - of a test


def posted(document: dict[str, Any], **changes: str | list[str]) -> QueryDict:
    """What a browser sends for the editor filled with ``document``."""
    editor = forms.of_document(document, name="New")
    data = QueryDict(mutable=True)
    data["name"] = editor.name
    for section, rows in editor.rows.items():
        for name in forms.COLUMNS[section]:
            data.setlist(f"{section}-{name}", [row.values[name] for row in rows])
    for name, value in editor.scalars.items():
        data[name] = value
    for cell, action in editor.matrix.items():
        data[f"matrix-{cell}"] = action
    for name, value in changes.items():
        data.setlist(name, value if isinstance(value, list) else [value])
    return data


@pytest.fixture
def draft(sam: User) -> DefinitionVersion:
    return definitions.create_draft(actor=sam, now=NOW)


def test_the_editor_gives_back_the_document_it_shows() -> None:
    document = default_document()
    again = forms.document_of(forms.of_post(posted(document)))
    assert digest(again) == digest(document)


def test_conditions_that_the_form_can_not_show_are_carried_along() -> None:
    document = default_document()
    document["signals"][1]["where"].append(
        {"path": "properties.plan", "operator": "in", "value": ["gold", "tin"]}
    )
    document["fit"][0].update(path="attributes.size", operator="range", value=[5, 9.5])
    again = forms.document_of(forms.of_post(posted(document)))
    assert digest(again) == digest(document)


def test_everybody_reads_it_in_plain_words_with_the_banner_until_both_have_signed(
    signed_in: SignedIn, olga: User
) -> None:
    text = signed_in(olga).get("/settings/definition/").content.decode()
    assert "Not signed yet." in text
    assert "The company&#x27;s number of employees is at least 50" in text
    assert "Form whose name contains “demo”, at most once a day" in text
    assert "Draft a new version" not in text
    assert "not signed yet" in signed_in(olga).get("/settings/").content.decode()
    assert "from the start" in text
    assert "1970" not in text


def test_a_draft_is_edited_and_proposed_and_its_digest_shown(
    signed_in: SignedIn, sam: User, draft: DefinitionVersion
) -> None:
    client = signed_in(sam)
    assert client.post("/settings/definition/draft/")["Location"] == "/settings/definition/2/edit/"
    page = client.get("/settings/definition/2/edit/").content.decode()
    assert 'value="Demo requested"' in page
    data = posted(draft.body, half_life_days="14", fit_A="70", version=str(draft.version))
    assert client.post("/settings/definition/2/edit/", data.dict() | dict(data.lists())).status_code == 303
    saved = DefinitionVersion.objects.get(number=2)
    assert (saved.body["half_life_days"], saved.body["fit_bands"]["A"], saved.name) == (14, 70, "New")
    assert client.post("/settings/definition/2/propose/").status_code == 303
    text = client.get("/settings/definition/2/").content.decode()
    assert saved.digest in text
    assert "Points halve every 14 days." in text


def test_while_everybody_is_scored_by_the_next_version_the_page_says_how_far_that_is(
    signed_in: SignedIn, olga: User, sam: User, max_: User, draft: DefinitionVersion,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(rescoring, "BATCH", 0)
    proposal = definitions.propose(definition=draft, actor=sam, now=NOW)
    for signer in (sam, max_):
        definitions.sign(definition=proposal, signer=signer, now=NOW)
    Filling.objects.update(done=1_200, total=4_800)
    text = signed_in(olga).get("/settings/definition/").content.decode()
    assert "1,200 of 4,800 people and leads are scored by the next version." in text
    assert "will be in force as soon as everybody is scored by it" in text
    monkeypatch.undo()
    assert definitions.run_once(now=NOW) == 1
    assert "scored by the next version" not in signed_in(olga).get("/settings/definition/").content.decode()


def test_rules_that_can_not_be_used_are_marked_in_their_rows_and_nothing_is_saved(
    signed_in: SignedIn, sam: User, draft: DefinitionVersion
) -> None:
    data = posted(draft.body, fit_A="20", half_life_days="soon")
    points = data.getlist("fit-points")
    data.setlist("fit-points", ["many", *points[1:]])
    answer = signed_in(sam).post("/settings/definition/2/edit/", dict(data.lists()))
    assert answer.status_code == 422
    editor = answer.context["editor"]
    assert editor.rows["fit"][0].errors == ["Give a number from -100 to 100."]
    assert set(editor.scalar_errors) == {"fit_A", "half_life_days"}
    assert DefinitionVersion.objects.get(number=2).body == draft.body


def test_an_edit_of_what_somebody_else_has_changed_is_refused(
    signed_in: SignedIn, sam: User, draft: DefinitionVersion
) -> None:
    data = posted(draft.body, version=str(draft.version + 5))
    assert signed_in(sam).post("/settings/definition/2/edit/", dict(data.lists())).status_code == 412


@pytest.mark.parametrize("section", ["fit", "signals", "exclusions", "minimum_information"])
def test_one_more_row_is_blank_and_says_nothing(signed_in: SignedIn, sam: User, section: str) -> None:
    answer = signed_in(sam).get(f"/settings/definition/row/{section}/", headers=HTMX)
    assert answer.status_code == 200
    blank = {f"{section}-{name}": "" for name in forms.COLUMNS[section]}
    data = QueryDict(mutable=True)
    data.update({**blank, f"{section}-event": "page", f"{section}-operator": "contains"})
    assert forms.of_post(data).rows[section] == []
    assert signed_in(sam).get("/settings/definition/row/nothing/").status_code == 404


def test_both_sides_sign_with_their_passwords_and_it_is_in_force(
    signed_in: SignedIn, sam: User, max_: User, draft: DefinitionVersion
) -> None:
    definitions.propose(definition=draft, actor=sam, now=NOW)
    for signer in (sam, max_):
        signer.set_password(PASSWORD)
        signer.save(update_fields=["password"])
        client = signed_in(signer)
        url = "/settings/definition/2/sign/"
        assert draft.digest in client.get(url).content.decode()
        wrong = client.post(url, {"digest": draft.digest, "password": "wrong"})
        assert (wrong.status_code, DefinitionSignature.objects.filter(signer=signer).count()) == (422, 0)
        stale = client.post(url, {"digest": "0" * 64, "password": PASSWORD})
        assert stale.status_code == 422
        assert not DefinitionSignature.objects.filter(signer=signer).exists()
        assert client.post(url, {"digest": draft.digest, "password": PASSWORD}).status_code == 303
    assert DefinitionVersion.objects.get(number=2).state == DefinitionState.IN_FORCE
    assert "Not signed yet." not in signed_in(sam).get("/settings/definition/").content.decode()


def test_roles_that_may_not_change_nothing(
    signed_in: SignedIn, rita: User, mara: User, olga: User, draft: DefinitionVersion
) -> None:
    before = list(DefinitionVersion.objects.values())
    for user in (rita, mara, olga):
        client = signed_in(user)
        for path in ("draft/", "2/edit/", "2/propose/", "2/discard/"):
            assert client.post(f"/settings/definition/{path}").status_code == 403, path
        assert client.post("/settings/definition/1/sign/", {"password": "x"}).status_code == 403
        assert client.get("/settings/definition/2/").status_code == 404
        assert client.get("/settings/definition/99/").status_code == 404
    assert list(DefinitionVersion.objects.values()) == before
    assert not DefinitionSignature.objects.exists()


def test_what_is_in_force_is_not_edited(signed_in: SignedIn, sam: User) -> None:
    client = signed_in(sam)
    assert client.get("/settings/definition/1/edit/").status_code == 409
    assert client.post("/settings/definition/1/discard/").status_code == 409


def test_personas_the_day_and_what_a_band_needs_are_edited_in_the_browser(
    signed_in: SignedIn, sam: User, draft: DefinitionVersion
) -> None:
    condition = {"path": "person.title", "operator": "contains", "value": "cfo"}
    document = default_document() | {
        "personas": [{"key": "cfo", "name": "CFO", "description": "Signs", "where": [condition, condition]}],
        "ideal_customer": {"description": "Mid-size", "where": [condition]},
        "minimum_by_band": {"A": [["person.phone"]]},
        "effective_on": "2026-05-04",
    }
    assert digest(forms.document_of(forms.of_post(posted(document)))) == digest(document)
    client = signed_in(sam)
    data = posted(document, **{"personas-name": ["", "CFO"], "effective_on": "soon"})
    answer = client.post("/settings/definition/2/edit/", dict(data.lists()))
    assert answer.status_code == 422
    editor = answer.context["editor"]
    assert editor.rows["personas"][0].errors == ["Give the persona a name of at most 80 characters."]
    assert "effective_on" in editor.scalar_errors
    assert client.post("/settings/definition/2/edit/", dict(posted(document).lists())).status_code == 303
    text = client.get("/settings/definition/2/").content.decode()
    for words in ("Mid-size", "CFO", "In force from", "For fit A besides", "What it changes in version 1"):
        assert words in text


def test_a_draft_begins_with_a_template_counts_what_it_touches_and_is_discussed(
    signed_in: SignedIn, sam: User, rita: User
) -> None:
    client = signed_in(sam)
    client.post("/settings/definition/draft/", {"template": "need_and_budget"})
    draft = DefinitionVersion.objects.get(number=2)
    assert draft.body["fit"][0]["path"] == "attributes.budget"
    counted = client.post("/settings/definition/2/reach/", dict(posted(draft.body).lists()), headers=HTMX)
    assert "Counted over all 0 open leads." in counted.content.decode()
    wrong = client.post("/settings/definition/2/reach/", {"name": "x"}, headers=HTMX).content.decode()
    assert "Not counted" in wrong
    row = client.get("/settings/definition/row/exclusions/?preset=customers", headers=HTMX).content.decode()
    assert 'value="Is a customer already"' in row
    past = client.post("/settings/definition/2/propose/", {"effective_on": "2026-01-01"})
    assert (past.status_code, b"This day is over." in past.content) == (422, True)
    client.post("/settings/definition/2/propose/", {"effective_on": "2026-05-04"})
    said = signed_in(rita).post("/settings/definition/2/comment/", {"text": "Too strict", "part": "bands"})
    assert said.status_code == 303
    assert signed_in(rita).post("/settings/definition/2/comment/", {"text": ""}).status_code == 422
    assert "Too strict" in signed_in(rita).get("/settings/definition/2/").content.decode()


def test_a_rep_reads_in_the_queue_what_a_qualified_lead_is(signed_in: SignedIn, rita: User) -> None:
    text = signed_in(rita).get("/queue/").content.decode()
    assert "A qualified lead: fit A with interest 1 or 2" in text
    assert "(version 1 of the definition)" in text
