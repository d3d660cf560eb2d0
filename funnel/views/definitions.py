"""The definition of a qualified lead: reading, drafting, proposing and signing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from allauth.account.decorators import reauthentication_required
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from funnel import access
from funnel.domain.definitions import TEMPLATES
from funnel.forms import definitions as forms
from funnel.forms.definitions import Editor, Row
from funnel.models import DefinitionState, DefinitionVersion, LeadAction
from funnel.selectors import definition_changes, definition_choices, definition_prose, definition_texts
from funnel.selectors.definition_choices import Choice
from funnel.selectors.definition_texts import DefinitionText
from funnel.services import definitions
from smarketing.core.errors import DomainError
from smarketing.users.domain.roles import Capability
from smarketing.web import rendering, signing
from smarketing.web.forms import refusals
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast

SECTIONS = {
    "fit": "funnel/_definition_fit_row.html",
    "signals": "funnel/_definition_signal_row.html",
    "exclusions": "funnel/_definition_exclusion_row.html",
    "minimum_information": "funnel/_definition_minimum_row.html",
    "personas": "funnel/_definition_persona_row.html",
    "ideal": "funnel/_definition_ideal_row.html",
}

PATH_SECTIONS = ("fit", "exclusions", "minimum_information", "personas", "ideal")


@page(capability=Capability.VIEW)
def show(request: Request) -> HttpResponse:
    """What is in force, the version in the making, and all versions."""
    text = definition_texts.in_force()
    coming = definition_texts.in_progress()
    context = {
        "text": text,
        "templates": definition_choices.TEMPLATES,
        "progress": definition_texts.progress(),
        "next": coming if coming is not None and _may_see(coming, request) else None,
        "versions": [v for v in definition_texts.versions() if _may_see(v, request)],
        **_may(request, text),
    }
    return rendering.page(request, "funnel/definition.html", context)


@page(capability=Capability.VIEW)
def version(request: Request, number: int) -> HttpResponse:
    """One version as it was or is to be signed."""
    return show_version(request, load(request, number))


def show_version(
    request: Request,
    found: DefinitionVersion,
    *,
    comment: forms.CommentForm | None = None,
    day: forms.ProposeForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page of a version, with the forms as they were sent where something in them is wrong."""
    text = definition_texts.text_of(found)
    former = definition_changes.former_of(found)
    changes = definition_changes.changes(found, former) if former else []
    context = {
        "text": text,
        "former": former,
        "changes": [(definition_prose.PARTS[change.part], change) for change in changes],
        "comments": definition_texts.named_comments(found),
        "comment_form": comment or forms.CommentForm(),
        "propose_form": day or forms.ProposeForm(initial={"effective_on": text.effective_on}),
        "is_open": found.state in definition_texts.OPEN_STATES,
        "may_comment": request.user.may(Capability.LOG_ACTIVITY),
        **_may(request, text),
    }
    return rendering.page(request, "funnel/definition_version.html", context, status=status)


@page(capability=Capability.EDIT_DEFINITION, methods=["POST"])
def draft(request: Request) -> HttpResponse:
    """Start the next version from what is in force or a template, or go on with the one there is."""
    template = TEMPLATES.get(request.POST.get("template", ""))
    body = template() if template else None
    made = definitions.create_draft(actor=request.user, body=body, now=request.now)
    return rendering.redirect(request, reverse("funnel:definition_edit", args=[made.number]))


@page(capability=Capability.EDIT_DEFINITION, methods=["GET", "POST"])
def edit(request: Request, number: int) -> HttpResponse:
    """Change the rules of a draft or proposal; that clears its signatures."""
    found = load(request, number, capability=Capability.EDIT_DEFINITION)
    if found.state not in definition_texts.OPEN_STATES:
        raise definitions.DefinitionNotEditable(_("What is in force is not edited. Draft a new version."))
    if request.method != "POST":
        return _editor(request, found, forms.of_document(found.body, name=found.name))
    editor = forms.of_post(request.POST)
    seen = request.POST.get("version", "")
    try:
        definitions.update_draft(
            definition=found,
            body=forms.document_of(editor),
            name=editor.name,
            actor=request.user,
            now=request.now,
            expected_version=int(seen) if seen.isdecimal() and len(seen) < 10 else None,
        )
    except DomainError as error:
        forms.place_errors(editor, error.errors)
        if not editor.has_errors:
            editor.errors.append(error.detail)
        return _editor(request, found, editor, status=error.status)
    to = reverse("funnel:definition_version", args=[number])
    return rendering.redirect(request, to, toast=Toast(_("Saved."), "ok"))


@page(capability=Capability.EDIT_DEFINITION)
def row(request: Request, section: str) -> HttpResponse:
    """One more blank row of the editor."""
    template = SECTIONS.get(section)
    if template is None:
        raise access.NoSuchRecord(_("There is no such part of a definition."))
    blank = Row(dict.fromkeys(forms.COLUMNS[section], ""))
    _preset, values = definition_choices.EXCLUSIONS.get(request.GET.get("preset", ""), ("", ()))
    if section == "exclusions" and values:
        blank.values.update(zip(("path", "operator", "value", "reason"), map(str, values), strict=True))
    return rendering.fragment(request, template, {"row": blank, **_choices()})


@page(capability=Capability.EDIT_DEFINITION, methods=["POST"])
def propose(request: Request, number: int) -> HttpResponse:
    """Ask both sides to sign."""
    found = load(request, number, capability=Capability.EDIT_DEFINITION)
    form = forms.ProposeForm(request.POST)
    if not form.is_valid():
        return show_version(request, found, day=form, status=422)
    try:
        definitions.propose(
            definition=found,
            effective_on=form.cleaned_data["effective_on"] if "effective_on" in request.POST else "keep",
            actor=request.user,
            now=request.now,
        )
    except definitions.DefinitionNotUsable as error:
        refusals.add_error(form, error)
        return show_version(request, found, day=form, status=422)
    toast = Toast(_("Proposed. Each side can sign now."), "ok")
    return rendering.redirect(request, reverse("funnel:definition_version", args=[number]), toast=toast)


@page(capability=Capability.EDIT_DEFINITION, methods=["POST"])
def discard(request: Request, number: int) -> HttpResponse:
    """Throw a draft or proposal away."""
    found = load(request, number, capability=Capability.EDIT_DEFINITION)
    definitions.discard(definition=found, actor=request.user, now=request.now)
    return rendering.redirect(request, "funnel:definition", toast=Toast(_("Discarded."), "ok"))


@page(capability=Capability.EDIT_DEFINITION, methods=["POST"])
def take_back(request: Request, number: int) -> HttpResponse:
    """Make a signed version that waits for its day a draft again."""
    found = load(request, number, capability=Capability.EDIT_DEFINITION)
    definitions.take_back(definition=found, actor=request.user, now=request.now)
    toast = Toast(_("Taken back. Its signatures are cleared."), "ok")
    return rendering.redirect(request, reverse("funnel:definition_version", args=[number]), toast=toast)


@page(capability=Capability.VIEW, methods=["GET", "POST"])
@reauthentication_required(enabled=signing.without_password)  # type: ignore[untyped-decorator]
def sign(request: Request, number: int) -> HttpResponse:
    """Read the text again, say again who you are, sign."""
    found = load(request, number)
    if definitions.side_of(signer=request.user) is None:
        raise definitions.NotASigner(_("Only the managers of marketing and sales sign."))
    form = signing.form_for(request, found.digest)
    if request.method == "POST" and form.is_valid() and signing.is_who_they_say(request, form):
        try:
            signed = definitions.sign(
                definition=found, digest=form.cleaned_data["digest"], signer=request.user, now=request.now
            )
        except DomainError as error:
            refusals.add_error(form, error)
        else:
            return rendering.redirect(request, "funnel:definition", toast=_signed(signed))
    context = {"text": definition_texts.text_of(found), "form": form}
    status = 422 if form.errors else 200
    return rendering.page(request, "funnel/definition_sign.html", context, status=status)


def _signed(version: DefinitionVersion) -> Toast:
    if version.state == DefinitionState.SIGNED:
        if version.body.get("effective_on"):
            return Toast(_("Signed by both sides: it waits for its day."), "ok")
        return Toast(_("Signed by both sides: it is in force once everybody is scored by it."), "ok")
    if version.state == DefinitionState.IN_FORCE and version.in_force_from == version.updated_at:
        return Toast(_("Signed by both sides: it is in force now."), "ok")
    return Toast(_("Signed."), "ok")


def load(request: Request, number: int, *, capability: Capability = Capability.VIEW) -> DefinitionVersion:
    """A version that the user may see."""
    found = access.definition(request.user, number, capability=capability)
    if not _may_see(found, request):
        raise access.NoSuchRecord(_("There is no such version."))
    return found


def _may_see(found: DefinitionVersion, request: Request) -> bool:
    """A draft is its drafters' until it is proposed."""
    return found.state != DefinitionState.DRAFT or request.user.may(Capability.EDIT_DEFINITION)


def _may(request: Request, text: DefinitionText) -> dict[str, Any]:
    side = definitions.side_of(signer=request.user)
    signable = text.version.state in (DefinitionState.PROPOSED, DefinitionState.IN_FORCE)
    return {
        "may_edit": request.user.may(Capability.EDIT_DEFINITION),
        "may_sign": signable and side is not None and not text.has_signed(side),
    }


def _editor(request: Request, found: DefinitionVersion, editor: Editor, *, status: int = 200) -> HttpResponse:
    columns = [("1", _("much")), ("2", _("some")), ("3", _("little"))]
    matrix = [
        (fit, [(f"{fit}{interest}", editor.matrix[f"{fit}{interest}"]) for interest, _label in columns])
        for fit in ("A", "B", "C")
    ]
    context = {
        "version": found,
        "editor": editor,
        "matrix": matrix,
        "columns": columns,
        "heads": definition_choices.HEADS,
        "presets": [(key, label) for key, (label, _values) in definition_choices.EXCLUSIONS.items()],
        "reach_url": reverse("funnel:definition_reach", args=[found.number]),
        **_choices(editor),
    }
    return rendering.page(request, "funnel/definition_edit.html", context, status=status)


def _choices(editor: Editor | None = None) -> Mapping[str, Any]:
    """What the selects offer; a rule about something else keeps it, as it is written."""
    return {
        "paths": _with_used(definition_choices.paths(), editor, PATH_SECTIONS),
        "properties": _with_used(list(definition_choices.PROPERTIES), editor, ("signals",)),
        "operators": definition_choices.OPERATORS,
        "events": _with_used(definition_choices.events(), editor, ("signals",), names=("event",)),
        "actions": LeadAction.choices,
    }


def _with_used(
    known: list[Choice],
    editor: Editor | None,
    sections: Sequence[str],
    *,
    names: Sequence[str] = ("path", "first", "second", "third"),
) -> list[Choice]:
    rows = [row for section in sections for row in (editor.rows[section] if editor else [])]
    used = {row.values.get(name, "") for row in rows for name in names}
    return known + [(value, value) for value in sorted(used - {value for value, _label in known} - {""})]
