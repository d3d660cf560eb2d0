"""What people say about a version before it is signed; kept with it as it was said."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from sla.models import AgreementComment, AgreementVersion
from sla.selectors.links import version_path
from smarketing.core.errors import FieldError, Invalid
from smarketing.notifications.services import outbox
from smarketing.notifications.services.outbox import Notice
from smarketing.users.models import User

LONGEST = 4000


class CommentInvalid(Invalid):
    """A comment needs a text, and a clause that the version has."""

    code = "comment_invalid"


@transaction.atomic
def add(
    *, version: AgreementVersion, text: str, position: int | None = None, author: User, now: datetime
) -> AgreementComment:
    """Comment on a version or one of its clauses; its author and earlier commenters are told.

    Raises CommentInvalid.
    """
    text = text.strip()
    if not text or len(text) > LONGEST or "\x00" in text:
        detail = _("Write between 1 and %(most)s characters.") % {"most": LONGEST}
        raise CommentInvalid(detail, errors=[FieldError("text", "required", detail)])
    if position is not None and not version.clauses.filter(position=position).exists():
        detail = _("This version has no such clause.")
        raise CommentInvalid(detail, errors=[FieldError("position", "unknown", detail)])
    comment = AgreementComment.objects.create(
        version=version, position=position, author=author, text=text, created_at=now
    )
    told = set(version.comments.exclude(author=author).values_list("author_id", flat=True))
    told |= {version.author_id} if version.author_id and version.author_id != author.pk else set()
    words = {"author": author.name, "number": version.number}
    notice = Notice(
        text=_("%(author)s commented on version %(number)s of the agreement.") % words,
        user_ids=tuple(sorted(told)),
        link=version_path(version.number),
    )
    outbox.put(
        topic="agreement.commented",
        payload={
            "comment_id": comment.pk,
            "version": version.number,
            "position": position,
            "author_id": author.pk,
        },
        dedupe_key=f"agreement_comment:{comment.pk}",
        now=now,
        notify=notice if told else None,
    )
    return comment
