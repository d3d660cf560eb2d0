"""The forms of the demo company's website, and people who fill them in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from leads.domain import form_layouts
from leads.models import Campaign, ConsentEntry, ConsentState, Form, FormRoad, FormVersion, Lead, Person
from leads.selectors import forms as form_rows
from leads.services import consents, form_answers, forms, submissions
from leads.services.submissions import Context
from smarketing.demo import story
from smarketing.demo.people import Customer
from smarketing.users.models import User

GUIDE = "Guide: ten figures of a healthy plant"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0"
_NEWS = {
    "purpose": "newsletter",
    "text": "Yes, send me the newsletter about once a month. I can end it at any time.",
}
_HEARD = ("Search engine", "A colleague", "Trade fair", "LinkedIn", "Article")
_FIELDS: tuple[dict[str, Any], ...] = (
    {"name": "first_name", "target": "person.first_name", "label": "First name"},
    {"name": "last_name", "target": "person.last_name", "label": "Last name"},
    {"name": "email", "target": "person.email", "label": "Work e-mail", "required": True},
    {"name": "company", "target": "company.name", "label": "Company", "progressive": True},
    {"name": "title", "target": "person.title", "label": "Job title", "progressive": True},
    {"name": "country", "target": "person.country", "label": "Country", "hidden": True},
)
_DEMO_FIELDS: tuple[dict[str, Any], ...] = (
    *_FIELDS,
    {"name": "phone", "target": "person.phone", "label": "Phone"},
    {"name": "need", "target": "lead.description", "label": "What would you like to solve?"},
    {
        "name": "heard",
        "target": "lead.heard",
        "label": "How did you hear about us?",
        "choices": list(_HEARD),
    },
)
_CONFIRM = 0.7  # of those who are asked for it by mail
_SPAM = "Best prices http://a.example http://b.example http://c.example http://d.example"


@dataclass(frozen=True, slots=True)
class Site:
    """The two published forms."""

    demo: tuple[Form, FormVersion]
    guide: tuple[Form, FormVersion]


def build(*, cast: dict[str, User], guide: Campaign, now: datetime) -> Site:
    """Make and publish the forms, by the marketers who own them."""
    words = {
        "title": "See it on your own plant",
        "intro": "Thirty minutes with an engineer, on your figures.",
        "submit": "Request a demo",
        "thanks": "Thank you. An engineer calls you within one business hour.",
        "fields": list(_DEMO_FIELDS),
        "consents": [_NEWS],
    }
    offer = {
        "title": GUIDE.partition(": ")[2].capitalize(),
        "intro": "Twelve pages, no padding.",
        "submit": "Get the guide",
        "fields": list(_FIELDS),
        "consents": [{**_NEWS, "double_opt_in": True}],
    }
    tom, jana = cast["marketer"], cast["jana"]
    return Site(
        demo=_published("Request a demo", words, {"notify": tom}, tom, now),
        guide=_published(
            "Ten figures", offer, {"campaign": guide, "content": GUIDE, "origin": "Organic search"}, jana, now
        ),
    )


def ask_for_demo(*, site: Site, person: Person, random: Random, now: datetime) -> None:
    """Somebody we know requests a demo."""
    email = person.emails.order_by("pk").values_list("email", flat=True)[0]
    given = {"email": email, "last_name": person.last_name, "heard": random.choice(_HEARD)}
    _send(site.demo, given, f"https://{story.DOMAIN}/demo", random, now)


def get_guide(*, site: Site, customer: Customer, random: Random, now: datetime) -> Lead | None:
    """Somebody new wants the guide; their lead."""
    given = {
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "email": customer.email,
        "company": customer.company.name if customer.company else "",
        "title": customer.title,
        "country": customer.company.country if customer.company else "",
    }
    lead = _send(site.guide, given, f"https://{story.DOMAIN}/guides/ten-figures", random, now)
    if lead is not None and random.random() < _CONFIRM:
        for entry in ConsentEntry.objects.filter(person=lead.person_id, state=ConsentState.PENDING):
            consents.confirm(entry=entry, now=now)
    return lead


def send_spam(*, site: Site, number: int, random: Random, now: datetime) -> None:
    """A program fills the form in; it waits in quarantine."""
    given = {"email": f"offer{number}@bulk.example", "last_name": "Best Offer", "need": _SPAM}
    _send(site.demo, given, f"https://{story.DOMAIN}/demo", random, now)


def _send(
    which: tuple[Form, FormVersion], given: dict[str, str], page: str, random: Random, now: datetime
) -> Lead | None:
    form, version = which
    for _view in range(1 + int(random.expovariate(0.4))):
        forms.count_view(form=form, now=now)
    if random.random() < 0.4:
        given = {**given, "consent_newsletter": "yes"}
    texts = {name: [text] for name, text in given.items()}
    answers = form_answers.check(layout=form_rows.layout_of(version), given=texts)
    context = Context(
        road=FormRoad.EMBEDDED,
        ip=f"198.51.100.{random.randint(1, 250)}",
        user_agent=BROWSER,
        page_url=page,
        referrer="https://www.google.com/" if form.campaign_id else "",
        render_id=f"demo-{random.getrandbits(64):016x}",
        seconds=20.0,
    )
    received = submissions.take(
        form=form, version=version, given=texts, answers=answers, context=context, now=now
    )
    received.submission.refresh_from_db()
    return received.submission.lead


def _published(
    name: str, layout: dict[str, Any], settings: dict[str, Any], owner: User, now: datetime
) -> tuple[Form, FormVersion]:
    form = forms.create(name=name, **settings, actor=owner, now=now)
    forms.save_draft(form=form, layout=form_layouts.read(layout), actor=owner, now=now)
    version = forms.publish(form=form, actor=owner, now=now)
    return form, version
