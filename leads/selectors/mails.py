"""Reading mails, their templates and the inbox."""

from __future__ import annotations

from django.db.models import QuerySet

from leads.domain import mail_templates as rules
from leads.models import Activity, ActivityKind, Direction, Mail, MailInbox, MailTemplate, Person
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

# The source of mails that came in; their external id is the Message-ID.
INBOUND_SOURCE = "mail"


def templates(user: User) -> QuerySet[MailTemplate]:
    """Every template; both teams read them."""
    return MailTemplate.objects.all() if user.may(Capability.VIEW) else MailTemplate.objects.none()


def usable_templates() -> QuerySet[MailTemplate]:
    """Those in use."""
    return MailTemplate.objects.filter(is_active=True)


def visible_to(user: User) -> QuerySet[Mail]:
    """Mails that the user may see: those of everybody, like the timeline."""
    found = Mail.objects.select_related("person", "sender")
    return found if user.may(Capability.VIEW) else found.none()


def values_of(person: Person, sender: User) -> dict[str, str]:
    """What a template may say of a person and of who writes."""
    return {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "name": person.name,
        "company": person.company.name if person.company else "",
        "title": person.title,
        "sender_name": sender.name,
        "sender_email": sender.email or "",
    }


def filled(template: MailTemplate, person: Person, sender: User) -> tuple[str, str, list[str]]:
    """Subject and text for this person, and the fields that are blank."""
    values = values_of(person, sender)
    blank = rules.missing_values((template.subject, template.body), values)
    return rules.one_line(rules.fill(template.subject, values)), rules.fill(template.body, values), blank


def last_reply(person: Person) -> Activity | None:
    """The latest mail of the person that came in and was no automatic answer."""
    came = Activity.objects.filter(
        person=person,
        kind=ActivityKind.MAIL,
        direction=Direction.INBOUND,
        is_automated=False,
        source__code=INBOUND_SOURCE,
    )
    return came.order_by("-occurred_at", "-pk").first()


def inbox() -> MailInbox | None:
    """The inbox in use."""
    return MailInbox.objects.filter(revoked_at=None).first()
