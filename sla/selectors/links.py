"""Addresses that texts written below the views carry."""

from __future__ import annotations

from django.urls import reverse


def lead_path(lead_id: int) -> str:
    """The page of a lead."""
    return reverse("leads:lead", args=[lead_id])


def version_path(number: int) -> str:
    """The page of a version of the agreement."""
    return reverse("sla:agreement_version", args=[number])
