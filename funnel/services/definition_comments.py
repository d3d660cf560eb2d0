"""What people say about a version of the definition before it is signed; kept with it as it was said."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from funnel.models import DefinitionComment, DefinitionVersion
from funnel.selectors import definition_prose
from funnel.services import definition_notices
from smarketing.core.errors import FieldError, Invalid
from smarketing.users.models import User

LONGEST = 4000


class DefinitionCommentInvalid(Invalid):
    """A comment needs a text, and a part that a definition has."""

    code = "comment_invalid"


@transaction.atomic
def add(
    *, definition: DefinitionVersion, text: str, part: str = "", author: User, now: datetime
) -> DefinitionComment:
    """Comment on a version or one of its parts; its author and earlier commenters are told.

    Raises :class:`DefinitionCommentInvalid`.
    """
    text = text.strip()
    if not text or len(text) > LONGEST or "\x00" in text:
        raise _bad("text", _("Write between 1 and %(most)s characters.") % {"most": LONGEST})
    if part and part not in definition_prose.PARTS:
        raise _bad("part", _("A definition has no such part."))
    comment = DefinitionComment.objects.create(
        definition=definition, part=part, author=author, text=text, created_at=now
    )
    definition_notices.commented(version=definition, author=author, comment_id=comment.pk, now=now)
    return comment


def _bad(field: str, detail: str) -> DefinitionCommentInvalid:
    return DefinitionCommentInvalid(detail, errors=[FieldError(field, DefinitionCommentInvalid.code, detail)])
