"""Addresses that texts written below the views carry."""

from __future__ import annotations


def lead_path(lead_id: int) -> str:
    """The page of a lead."""
    return f"/leads/{lead_id}/"
