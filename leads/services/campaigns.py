"""Writing campaigns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from leads.models import Campaign, Source
from leads.services import fields, sources, visit_links
from smarketing.core import locks
from smarketing.core.errors import FieldError
from smarketing.users.models import User

COLUMNS = (
    "name",
    "kind",
    "status",
    "channel",
    "owner",
    "starts_on",
    "ends_on",
    "budget",
    "actual_cost",
    "currency",
    "description",
)


class EndsBeforeItStarts(fields.BadValue):
    """The campaign's last day lies before its first."""

    code = "ends_before_it_starts"


@transaction.atomic
def create(
    *,
    name: str,
    source: Source | None = None,
    external_id: str | None = None,
    actor: User | None,
    now: datetime,
    **values: Any,
) -> Campaign:
    """A new campaign. ``values`` are the other :data:`COLUMNS`. Raises what ``fields.checked`` raises.

    Visits whose links have named it before it existed become its visits.
    """
    good = _checked({"name": name, **values})
    _days_in_order(good.get("starts_on"), good.get("ends_on"))
    campaign = Campaign.objects.create(
        **good,
        source=source or sources.manual(now=now),
        external_id=external_id,
        created_at=now,
        updated_at=now,
    )
    visit_links.claim_for_campaign(campaign=campaign, now=now)
    return campaign


@transaction.atomic
def update(
    *,
    campaign: Campaign,
    changes: Mapping[str, Any],
    expected_version: int | None = None,
    actor: User | None,
    now: datetime,
) -> Campaign:
    """Change named columns. Locks the campaign. Raises ``EditedMeanwhile`` or as ``create``."""
    (locked,) = locks.rows(Campaign.objects.all(), [campaign.pk])
    fields.same_version(record=locked, expected=expected_version)
    good = _checked(changes)
    different = [name for name, value in good.items() if getattr(locked, name) != value]
    for name in different:
        setattr(locked, name, good[name])
    _days_in_order(locked.starts_on, locked.ends_on)
    if different:
        locked.version, locked.updated_at = locked.version + 1, now
        locked.save(update_fields=[*different, "version", "updated_at"])
    if "name" in different:
        visit_links.claim_for_campaign(campaign=locked, now=now)
    return locked


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    good = fields.checked(model=Campaign, values=values, allowed=COLUMNS)
    if "currency" in good:
        good["currency"] = good["currency"].upper()
    return good


def _days_in_order(starts_on: Any, ends_on: Any) -> None:
    if starts_on and ends_on and ends_on < starts_on:
        detail = _("The last day lies before the first.")
        raise EndsBeforeItStarts(detail, errors=[FieldError("ends_on", EndsBeforeItStarts.code, detail)])
