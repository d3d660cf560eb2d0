"""The opportunities board, its moves, and the same deals as a list."""

from __future__ import annotations

from django.http import HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from funnel import access
from funnel.forms.deals import DealFilter, LostForm, MoveDealForm
from funnel.models import Opportunity, OpportunityStageKind
from funnel.selectors import board, deals, stages
from funnel.services import exports as trace
from funnel.services import opportunities
from funnel.views import asks
from funnel.views.asks import Ask
from funnel.views.whose import owner_asked_for
from smarketing.core.errors import DomainError, Invalid
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User
from smarketing.web import exports, filters, lists, rendering
from smarketing.web.lists import Empty
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast
from smarketing.web.tables import Column, TableSpec

MOVED = "board-changed, record-changed"
DEALS = TableSpec(
    id="deals",
    caption=gettext_lazy("Opportunities"),
    default_sort="-moved",
    columns=(
        Column("name", gettext_lazy("Opportunity"), sort="name"),
        Column("stage", gettext_lazy("Stage")),
        Column("amount", gettext_lazy("Amount"), sort="amount", numeric=True),
        Column("product", gettext_lazy("Product")),
        Column("owner", gettext_lazy("Owner")),
        Column("expected", gettext_lazy("Expected to close"), sort="expected_close_on"),
        Column("moved", gettext_lazy("In this stage since"), sort="stage_entered_at"),
    ),
)
EXPORTED = (
    "opportunity", "name", "company", "person", "stage", "owner", "product", "amount", "currency",
    "opened_at", "expected_close_on", "closed_at", "lost_reason", "competitor", "lost_note",
)  # fmt: skip


class NoSuchMove(Invalid):
    """The column or the version can't be read."""

    code = "bad_move"


@page(capability=Capability.VIEW)
def board_page(request: Request) -> HttpResponse:
    """Columns of cards; ``owner`` in the address narrows it to one rep, "me" to oneself."""
    owner = owner_asked_for(request)
    context = {
        "columns": board.columns(request.user, owner=owner, now=request.now),
        "owner": owner,
        "owners": User.objects.owners(),
        "may_edit": request.user.may(Capability.EDIT_OPPORTUNITIES),
        "here": request.get_full_path(),
    }
    return rendering.page(
        request, "funnel/board.html", context, fragments={"board": "funnel/_board_columns.html"}
    )


@page(capability=Capability.VIEW)
def deal_list(request: Request) -> HttpResponse:
    """All deals as a table with filters."""
    may_edit = request.user.may(Capability.EDIT_OPPORTUNITIES)
    return lists.render(
        request,
        "funnel/deals.html",
        spec=DEALS,
        filterset=DealFilter(request.GET, queryset=deals.listed(request.user)),
        row="funnel/_deal_row.html",
        empty=Empty(
            "handshake",
            _("A deal with an amount and a date. It begins on a lead that sales has accepted."),
            _("New opportunity") if may_edit else "",
            reverse("funnel:opportunity_new") if may_edit else "",
        ),
        context={"may_edit": may_edit},
        export_url=reverse("funnel:opportunities_export") if request.user.may(Capability.EXPORT) else "",
    )


@page(capability=Capability.EXPORT)
def export(request: Request) -> StreamingHttpResponse:
    """Exactly what the list is narrowed to, as a stream of CSV."""
    found = filters.rows(DealFilter(request.GET, queryset=deals.listed(request.user)))
    trace.record(what="opportunities", query=request.GET.urlencode(), actor=request.user, now=request.now)
    rows = (_exported(deal) for deal in deals.exported(found))
    return exports.csv_response(name=f"opportunities-{request.now:%Y-%m-%d}", header=EXPORTED, rows=rows)


@page(capability=Capability.EDIT_OPPORTUNITIES, methods=["POST"])
def move(request: Request, pk: int) -> HttpResponse:
    """Move a deal to another column; a loss first asks why."""
    deal = access.opportunity(request.user, pk, capability=Capability.EDIT_OPPORTUNITIES)
    form = MoveDealForm(request.POST)
    if not form.is_valid():
        raise NoSuchMove(_("Choose a column of the board."))
    to = form.cleaned_data["to"]
    if _is_loss(to) and deal.stage.code != to:
        return _lose(request, deal, to)
    moved = opportunities.move(
        opportunity=deal,
        to=to,
        actor=request.user,
        now=request.now,
        expected_version=form.cleaned_data["version"],
    )
    return _moved(request, moved)


@page(capability=Capability.EDIT_OPPORTUNITIES, methods=["POST"])
def undo(request: Request, pk: int) -> HttpResponse:
    """Take the last move back within ten seconds."""
    deal = access.opportunity(request.user, pk, capability=Capability.EDIT_OPPORTUNITIES)
    back = opportunities.undo_move(opportunity=deal, actor=request.user, now=request.now)
    text = _("%(deal)s is back in %(stage)s.") % {"deal": back.name, "stage": back.stage.name}
    return asks.done(request, reverse("funnel:opportunities"), Toast(text, "ok"), trigger=MOVED)


def lost_ask(deal: Opportunity, to: str, form: LostForm | None = None) -> Ask:
    """The dialog that asks why a deal was lost."""
    given = form or LostForm(initial={"to": to, "version": deal.version}, auto_id="lost_%s")
    return Ask(
        id="lost-form",
        title=_("Lost: %(deal)s") % {"deal": deal.name},
        url=reverse("funnel:opportunity_move", args=[deal.pk]),
        form=given,
        submit=_("Mark as lost"),
        danger=True,
    )


def _lose(request: Request, deal: Opportunity, to: str) -> HttpResponse:
    asked = "lost_reason" in request.POST or "lost_note" in request.POST
    if not asked:
        form = LostForm(initial={"to": to, "version": request.POST.get("version", "")}, auto_id="lost_%s")
        return _ask_in_dialog(request, lost_ask(deal, to, form))
    form = LostForm(request.POST, auto_id="lost_%s")
    ask = lost_ask(deal, to, form)
    if not form.is_valid():
        return asks.again(request, ask)
    given = form.cleaned_data
    try:
        moved = opportunities.move(
            opportunity=deal,
            to=to,
            actor=request.user,
            now=request.now,
            lost_reason=given["lost_reason"],
            lost_note=given["lost_note"],
            competitor=given["competitor"],
            expected_version=given["version"],
        )
    except DomainError as error:
        return asks.refused(request, ask, error)
    return _moved(request, moved)


def _ask_in_dialog(request: Request, ask: Ask) -> HttpResponse:
    """Ask in a dialog beside the board; the card goes back until the answer is there (422)."""
    if not request.htmx:
        return asks.again(request, ask)
    response = rendering.fragment(request, "funnel/_ask_dialog.html", {"ask": ask}, status=422)
    response["HX-Retarget"] = "#dialog-slot"
    response["HX-Reswap"] = "innerHTML"
    return response


def _moved(request: Request, deal: Opportunity) -> HttpResponse:
    text = _("%(deal)s moved to %(stage)s.") % {"deal": deal.name, "stage": deal.stage.name}
    toast = Toast(text, "ok", reverse("funnel:opportunity_undo", args=[deal.pk]))
    return asks.done(request, reverse("funnel:opportunity", args=[deal.pk]), toast, trigger=MOVED)


def _is_loss(code: str) -> bool:
    return any(c.code == code and c.kind == OpportunityStageKind.LOST for c in stages.board_columns())


def _exported(deal: Opportunity) -> tuple[object, ...]:
    return (
        deal.pk, deal.name, deal.company.name if deal.company else "", 
        deal.person.name if deal.person else "",
        deal.stage.name, deal.owner.name if deal.owner else "", deal.product.name if deal.product else "",
        deal.amount, deal.currency, deal.opened_at.isoformat() if deal.opened_at else "",
        deal.expected_close_on or "", deal.closed_at.isoformat() if deal.closed_at else "",
        deal.get_lost_reason_display() if deal.lost_reason else "", deal.competitor, deal.lost_note,
    )  # fmt: skip
