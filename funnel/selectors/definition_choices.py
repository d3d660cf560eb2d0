"""What the rules of a definition can ask about, in words for the editor."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from leads.models import AttributeDefinition, EventKind

Text = str | Promise
Choice = tuple[str, Text]

PATHS: tuple[Choice, ...] = (
    ("person.title", _("Person: job title")),
    ("person.name", _("Person: name")),
    ("person.email", _("Person: e-mail")),
    ("person.has_work_email", _("Person: e-mail is of a company")),
    ("person.email_domain", _("Person: domain of the e-mail")),
    ("person.is_customer", _("Person: is a customer already")),
    ("person.phone", _("Person: phone")),
    ("person.country", _("Person: country")),
    ("person.city", _("Person: city")),
    ("person.language", _("Person: language")),
    ("person.do_not_contact", _("Person: asked not to be contacted")),
    ("company.name", _("Company: name")),
    ("company.domain", _("Company: domain")),
    ("company.is_customer", _("Company: is a customer already")),
    ("company.industry", _("Company: industry")),
    ("company.employees", _("Company: employees")),
    ("company.annual_revenue", _("Company: annual revenue")),
    ("company.country", _("Company: country")),
    ("company.city", _("Company: city")),
    ("lead.origin", _("Lead: origin")),
    ("lead.channel", _("Lead: channel")),
    ("lead.campaign", _("Lead: campaign")),
    ("lead.source", _("Lead: source")),
    ("lead.landing_page", _("Lead: landing page")),
    ("lead.description", _("Lead: what they asked for")),
    ("lead.lap", _("Lead: lap")),
)
PROPERTIES: tuple[Choice, ...] = (
    ("", _("whatever it is")),
    ("properties.name", _("its name")),
    ("properties.url", _("its address")),
)
OPERATORS: tuple[Choice, ...] = (
    ("equals", _("is")),
    ("not_equals", _("is not")),
    ("contains", _("contains")),
    ("not_contains", _("does not contain")),
    ("matches", _("looks like (* is anything)")),
    ("in", _("is one of (comma between)")),
    ("not_in", _("is none of (comma between)")),
    ("at_least", _("is at least")),
    ("at_most", _("is at most")),
    ("range", _("is between (5-9)")),
    ("known", _("is known")),
    ("unknown", _("is not known")),
)
# What stands above the columns of the editor's rows.
HEADS: dict[str, tuple[Text, ...]] = {
    "fit": (_("Name"), _("When"), "", _("Value"), _("Points")),
    "signals": (_("Name"), _("Event"), _("When"), "", _("Value"), _("Points"), _("A day")),
    "exclusions": (_("When"), "", _("Value"), _("Reason")),
    "minimum_information": (),
    "personas": (_("Name"), _("Who they are"), _("When"), "", _("Value")),
    "ideal": (_("When"), "", _("Value")),
}
# Exclusions that most installations want: path, operator, value, reason.
EXCLUSIONS: dict[str, tuple[Text, tuple[str, str, str, Text]]] = {
    "competitors": (_("Competitors"), ("person.email_domain", "in", "", _("Works for a competitor"))),
    "free_mail": (
        _("Private e-mail"),
        ("person.has_work_email", "equals", "no", _("Private e-mail address")),
    ),
    "countries": (_("Countries"), ("person.country", "in", "", _("We don't sell in this country"))),
    "customers": (_("Customers"), ("company.is_customer", "equals", "yes", _("Is a customer already"))),
}
TEMPLATES: tuple[Choice, ...] = (
    ("", _("What is in force")),
    ("fit_and_interest", _("Fit × interest, the default")),
    ("interest_only", _("Interest only")),
    ("need_and_budget", _("Budget, authority, need and time")),
)


def paths() -> list[Choice]:
    """Everything a criterion can read: the columns, then the custom attributes."""
    custom = AttributeDefinition.objects.order_by("subject", "position", "key")
    found: dict[str, Text] = dict(PATHS)
    for attribute in custom:
        found.setdefault(f"attributes.{attribute.key}", attribute.label)
    return list(found.items())


def events() -> list[Choice]:
    """Kinds of behaviour."""
    return [(str(kind), label) for kind, label in EventKind.choices]
