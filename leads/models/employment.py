"""Where a person worked when, as far as tracking has been told."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from leads.models.company import Company
from leads.models.person import Person
from leads.models.source import Source


class EmploymentBasis(models.TextChoices):
    """How it is known; what somebody said outweighs what an address suggests."""

    STATED = "stated", _("Said so")
    GROUP = "group", _("Account of the product")
    DOMAIN = "domain", _("Domain of the e-mail address")


class Employment(models.Model):
    """A person at a company, from when it was first named until another one was.

    A projection of the person's events. ``until`` is empty for the present one; ``company`` while an
    account is known by its id alone. ``said`` is what was named, in the form in which it is compared.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="employments", db_index=False)
    company = models.ForeignKey(Company, null=True, on_delete=models.CASCADE, related_name="employments")
    basis = models.CharField(_("known by"), max_length=8, choices=EmploymentBasis.choices)
    said = models.CharField(max_length=400)
    source = models.ForeignKey(Source, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    began_at = models.DateTimeField(_("from"))
    until = models.DateTimeField(_("until"), null=True)

    class Meta:
        indexes = [
            models.Index(fields=["person", "began_at"], name="employments_of_person"),
            models.Index(
                fields=["said"], name="employments_unnamed", condition=models.Q(company__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} at {self.said}"
