"""The one column that the search box looks into, kept true set-based."""

from __future__ import annotations

from collections.abc import Collection

from django.contrib.postgres.aggregates import StringAgg
from django.db.models import F, Func, OuterRef, Subquery, TextField, Value
from django.db.models.functions import Lower, NullIf

from leads.models import Company, Person, PersonEmail


def refresh(*, person_ids: Collection[int]) -> None:
    """Write name, e-mail addresses and company of these persons into ``search_text``.

    One statement whatever the number. Called in the transaction that changed one of them.
    """
    addresses = (
        PersonEmail.objects.filter(person=OuterRef("pk"))
        .order_by()
        .values("person")
        .annotate(all=StringAgg("email", " ", order_by=("-is_primary", "id")))
        .values("all")
    )
    companies = Company.objects.filter(pk=OuterRef("company_id")).values("name")
    text = Lower(
        Func(  # leaves out what is missing, with its space
            Value(" "),
            NullIf(F("first_name"), Value("")),
            NullIf(F("last_name"), Value("")),
            Subquery(addresses, output_field=TextField()),
            Subquery(companies, output_field=TextField()),
            function="concat_ws",
            output_field=TextField(),
        )
    )
    Person.objects.filter(pk__in=person_ids).order_by().update(search_text=text)


def refresh_of_company(*, company_id: int) -> None:
    """The same for everybody of a company whose name has changed."""
    refresh(person_ids=list(Person.objects.filter(company=company_id).values_list("pk", flat=True)))
