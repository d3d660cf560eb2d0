"""Dead letters: messages that could not be applied, to be tried once more or set aside."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from leads.forms.write_keys import DeadLetterFilter
from leads.selectors import write_keys as reads
from leads.services import dead_letters
from smarketing.users.domain.roles import Capability
from smarketing.web import lists
from smarketing.web.lists import Empty
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast, redirect
from smarketing.web.tables import Column, TableSpec

LETTERS = TableSpec(
    id="dead-letters",
    caption=gettext_lazy("Dead letters"),
    selectable=True,
    default_sort="-created",
    columns=(
        Column("message", gettext_lazy("Message")),
        Column("error", gettext_lazy("What went wrong")),
        Column("created", gettext_lazy("Given up"), sort="created_at"),
        Column("state", gettext_lazy("State")),
        Column("tools", gettext_lazy("Change"), label_hidden=True),
    ),
)
LIST = "leads:dead_letters"
MANAGE = Capability.MANAGE_KEYS
_MOST = 500


@page(capability=MANAGE)
def letter_list(request: Request) -> HttpResponse:
    """All of them, the latest first."""
    return lists.render(
        request,
        "leads/dead_letters.html",
        spec=LETTERS,
        filterset=DeadLetterFilter(request.GET, queryset=reads.dead_letters(request.user)),
        row="leads/_dead_letter_row.html",
        empty=Empty(
            "mail-x", _("Messages that could not be applied in five attempts wait here. There are none.")
        ),
        bulk="leads/_dead_letter_bulk.html",
        context={"crumbs": [(_("Tracking keys"), reverse("leads:write_keys"))]},
    )


@page(capability=MANAGE, methods=["POST"])
def replay(request: Request) -> HttpResponse:
    """Try the chosen ones again."""
    n = dead_letters.replay(ids=_chosen(request), actor=request.user, now=request.now)
    text = ngettext("%(n)s message is tried again.", "%(n)s messages are tried again.", n) % {"n": n}
    return redirect(request, LIST, toast=Toast(text, "ok"))


@page(capability=MANAGE, methods=["POST"])
def discard(request: Request) -> HttpResponse:
    """Set the chosen ones aside; they are kept, and come back by “Restore”."""
    ids = _chosen(request)
    n = dead_letters.discard(ids=ids, actor=request.user, now=request.now)
    text = ngettext("%(n)s message discarded.", "%(n)s messages discarded.", n) % {"n": n}
    undo = reverse("leads:dead_letter_restore", args=[ids[0]]) if len(ids) == 1 else ""
    return redirect(request, LIST, toast=Toast(text, "ok", undo_url=undo))


@page(capability=MANAGE, methods=["POST"])
def restore(request: Request, pk: int) -> HttpResponse:
    """Take back a discard."""
    dead_letters.restore(ids=[pk], actor=request.user, now=request.now)
    return redirect(request, LIST, toast=Toast(_("Restored."), "ok"))


def _chosen(request: Request) -> list[int]:
    texts = request.POST.getlist("id")[:_MOST]
    return sorted({int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 19})
