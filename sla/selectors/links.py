"""Addresses that texts written below the views carry."""

from __future__ import annotations

from functools import cache

from django.urls import reverse


def lead_path(lead_id: int) -> str:
    """The page of a lead."""
    return reverse("leads:lead", args=[lead_id])


@cache
def lead_path_parts() -> tuple[str, str]:
    """What stands before and after the id in the address of a lead's page, for texts made in SQL."""
    before, _id, after = lead_path(0).rpartition("0")
    return before, after


def version_path(number: int) -> str:
    """The page of a version of the agreement."""
    return reverse("sla:agreement_version", args=[number])
