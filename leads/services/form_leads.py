"""What an answer to a form leads to: person, lead, touchpoints, consents, event, notice."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from leads.domain import arrivals, form_layouts
from leads.domain.arrivals import Arrival
from leads.domain.form_layouts import Field, Layout
from leads.models import (
    Campaign,
    Channel,
    ConsentState,
    EventKind,
    Form,
    FormRoad,
    FormSubmission,
    Lead,
    Source,
    SourceKind,
    TouchpointKind,
    Visitor,
)
from leads.selectors import channel_rules
from leads.selectors import consents as consent_rows
from leads.services import campaign_names, consents, events, leads, sources, touchpoints, visitors
from leads.services.events import EventInput
from leads.services.form_answers import Answers
from leads.services.leads import Captured
from smarketing.core.errors import FieldError, Invalid
from smarketing.notifications.services import outbox

SOURCE = "forms"
MOST_SITES = 20
# What other systems' forms call their fields, where the form itself does not say otherwise.
WEB_TO_LEAD = {
    "first_name": "person.first_name",
    "last_name": "person.last_name",
    "email": "person.email",
    "phone": "person.phone",
    "mobile": "person.phone",
    "company": "company.name",
    "title": "person.title",
    "city": "person.city",
    "country": "person.country",
    "country_code": "person.country",
    "URL": "person.website",
    "description": "lead.description",
    "lead_source": "lead.origin",
}
HUBSPOT = {
    "firstname": "person.first_name",
    "lastname": "person.last_name",
    "email": "person.email",
    "phone": "person.phone",
    "mobilephone": "person.phone",
    "company": "company.name",
    "jobtitle": "person.title",
    "city": "person.city",
    "country": "person.country",
    "website": "person.website",
    "hs_language": "person.language",
    "message": "lead.description",
}
_OTHERS = {FormRoad.WEB_TO_LEAD: WEB_TO_LEAD, FormRoad.HUBSPOT: HUBSPOT}


class NobodyAnswered(Invalid):
    """The answer tells neither an address nor a number."""

    code = "nobody_answered"


def with_defaults(*, layout: Layout, road: str) -> Layout:
    """The layout with the standard names of the system that the answer was written for.

    The form's own fields go first; a target is filled once, by the first name that was sent.
    """
    names = _OTHERS.get(FormRoad(road))
    if names is None:
        return layout
    taken = {f.name for f in layout.fields}
    own, consents_asked = layout.fields, layout.consents
    if road == FormRoad.WEB_TO_LEAD:
        # Nobody can be told, so nothing more is required than that it names somebody.
        own = tuple(replace(f, required=False) for f in own)
        consents_asked = tuple(replace(c, required=False) for c in consents_asked)
    more = tuple(Field(name=n, target=t, label=n) for n, t in names.items() if n not in taken)
    return replace(layout, fields=(*own, *more), consents=consents_asked)


@transaction.atomic
def capture(*, form: Form, submission: FormSubmission, answers: Answers, now: datetime) -> Captured:
    """Everything one answer leads to. Raises :class:`NobodyAnswered` or what ``leads.capture`` raises."""
    if not any(answers.values.get(target) for target in form_layouts.IDENTIFYING):
        detail = _("There is neither an e-mail address nor a phone number that can be used.")
        raise NobodyAnswered(detail, errors=[FieldError("fields", NobodyAnswered.code, detail)])
    source = sources.ensure(code=SOURCE, name=_("Forms"), kind=SourceKind.WEB, now=now)
    arrival = arrivals.read(
        page=submission.page_url, referrer=submission.referrer, rules=channel_rules.in_force().rules
    )
    campaign = form.campaign or campaign_names.of_answer(tags=arrival.tags, raw=submission.raw)
    code = "" if arrival.channel == "direct" and campaign and campaign.channel else arrival.channel
    channel = Channel.objects.filter(code=code).first() if code else None
    taken = leads.capture(
        source=source,
        person=answers.person(),
        company=answers.company(),
        captured_at=submission.received_at,
        origin=answers.values.get("lead.origin", "") or form.origin,
        channel=channel,
        campaign=campaign,
        landing_page=submission.page_url,
        description=answers.values.get("lead.description", ""),
        external_id=f"answer-{submission.pk}",
        attributes=answers.attributes("lead"),
        is_contact=False,
        actor=None,
        now=now,
    )
    _contact(taken.lead, form, submission, arrival, channel, campaign, source, now)
    _heard(taken.lead, submission, answers, source, now)
    _consents(taken.lead, form, submission, answers, now)
    _event(taken.lead, form, submission, arrival, source, now)
    _join(taken.lead, submission, now)
    _tell(taken, form, submission, now)
    return taken


def _contact(  # noqa: PLR0913 - everything that one contact is made of
    lead: Lead,
    form: Form,
    submission: FormSubmission,
    arrival: Arrival,
    channel: Channel | None,
    campaign: Campaign | None,
    source: Source,
    now: datetime,
) -> None:
    """The contact by which they came, or came again."""
    touchpoints.record(
        person=lead.person,
        lead=lead,
        source=source,
        external_id=f"answer-{submission.pk}",
        occurred_at=submission.received_at,
        kind=TouchpointKind.FORM,
        channel=channel,
        campaign=campaign,
        title=form.content or form.name,
        url=submission.page_url,
        referrer=arrival.referrer,
        parameters=dict(arrival.tags),
        actor=None,
        now=now,
    )


def _heard(lead: Lead, submission: FormSubmission, answers: Answers, source: Source, now: datetime) -> None:
    """The touch that they report themselves."""
    text, code = answers.heard
    if not text:
        return
    touchpoints.record(
        person=lead.person,
        lead=lead,
        source=source,
        external_id=f"heard-{submission.pk}",
        occurred_at=submission.received_at,
        kind=TouchpointKind.RECOMMENDATION if code == "recommendation" else TouchpointKind.OTHER,
        channel=Channel.objects.filter(code=code).first(),
        title=text,
        is_self_reported=True,
        actor=None,
        now=now,
    )


def _consents(lead: Lead, form: Form, submission: FormSubmission, answers: Answers, now: datetime) -> None:
    address = answers.values.get("person.email", "")
    for ask in answers.consents:
        purpose = consent_rows.purpose_of(ask.purpose)
        if purpose is None:
            continue
        waits = ask.double_opt_in and bool(address)
        if waits and consent_rows.may_contact(lead.person, purpose=ask.purpose).allowed:
            continue  # confirmed before: asking again would close what is open
        entry = consents.record(
            person=lead.person,
            address=address,
            purpose=purpose,
            state=ConsentState.PENDING if waits else ConsentState.GRANTED,
            text=ask.text,
            source=f"form {form.name}"[:60],
            occurred_at=submission.received_at,
            network=submission.network,
            ip_hash=submission.ip_hash,
            evidence={
                "form": form.key,
                "version": submission.version.number if submission.version else None,
                "submission": submission.pk,
                "page": submission.page_url,
            },
            dedupe_key=f"form:{submission.pk}:{ask.purpose}",
            now=now,
        )
        if waits:
            consents.ask_confirmation(entry=entry, now=now)


def _event(
    lead: Lead, form: Form, submission: FormSubmission, arrival: Arrival, source: Source, now: datetime
) -> None:
    properties: dict[str, Any] = {"form": form.key, "road": submission.road, **arrival.tags}
    events.record(
        rows=[
            EventInput(
                source=source,
                message_id=f"answer-{submission.pk}",
                kind=EventKind.FORM,
                name=form.name,
                url=submission.page_url or f"/f/{form.key}/",
                occurred_at=submission.received_at,
                person_id=lead.person_id,
                anonymous_id=submission.anonymous_id,
                properties=properties,
            )
        ],
        now=now,
    )


def _join(lead: Lead, submission: FormSubmission, now: datetime) -> None:
    """What the browser did before is theirs, under whichever of our sites' sources it was recorded."""
    anonymous_id = submission.anonymous_id
    if not anonymous_id:
        return
    sites = list(Source.objects.filter(kind=SourceKind.WEB).exclude(code=SOURCE).order_by("pk")[:MOST_SITES])
    for site in _sites_of(anonymous_id, sites):
        visitors.join(
            source=site, anonymous_id=anonymous_id, person=lead.person, at=submission.received_at, now=now
        )


def _sites_of(anonymous_id: str, sites: list[Source]) -> list[Source]:
    """Where the visitor was seen; where nowhere yet, all: their first event is still on its way."""
    seen = Visitor.objects.filter(source__in=sites, anonymous_id=anonymous_id)
    known = set(seen.values_list("source", flat=True))
    return [site for site in sites if site.pk in known] or sites


def _tell(taken: Captured, form: Form, submission: FormSubmission, now: datetime) -> None:
    who = taken.lead.person.name or _("somebody without a name")
    notice = None
    if form.notify_id is not None:
        text = _("%(who)s answered “%(form)s”") % {"who": who, "form": form.name}
        notice = outbox.Notice(text=text, user_ids=(form.notify_id,), link=f"/leads/{taken.lead.pk}/")
    outbox.put(
        topic="form.answered",
        payload={
            "form": form.key,
            "submission_id": submission.pk,
            "lead_id": taken.lead.pk,
            "person_id": taken.lead.person_id,
            "new_lead": taken.created,
        },
        dedupe_key=f"form-answer:{submission.pk}",
        now=now,
        notify=notice,
    )
