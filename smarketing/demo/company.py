"""Setting up the demo company: organisation, colleagues, pool, campaigns, products, signatures."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from django.contrib.auth.hashers import make_password

from funnel.models import CompanyMark, DefinitionVersion, Pool
from funnel.services import company_scores, definitions, pools, products
from leads.models import Campaign, CampaignStatus, Channel, KeyKind, SourceKind
from leads.services import campaigns, companies, sources, write_keys
from reporting.services import website as website_days
from smarketing.demo import agreement, rituals, story, website
from smarketing.demo.people import firms
from smarketing.demo.simulation import YEAR, World
from smarketing.notifications.services import outbox
from smarketing.users.models import User
from smarketing.users.services import organisation, teams, users

__all__ = ["YEAR", "set_up", "settle"]


def set_up(*, start: datetime, end: datetime, leads: int = 100) -> World:
    """Make the company as it was a year ago, sized for so many leads; returns what the simulation needs."""
    cast = _colleagues(start)
    admin = cast["admin"]
    organisation.update(changes=story.ORGANISATION, expected_version=None, actor=admin, now=start)
    _sign(cast, start)
    agreement.open_office(
        place=story.ORGANISATION,
        years=range(start.year, end.year + 2),
        actor=cast["sales-manager"],
        now=start,
    )
    agreement.agree(cast=cast, leads=leads, now=start)
    pool = Pool.objects.get(is_default=True)
    for colleague in story.CAST:
        if colleague.key in ("rep", "ben", "chloe", "deniz"):
            pools.set_place(pool=pool, user=cast[colleague.key], actor=admin, now=start)
    web = sources.ensure(code="web", kind=SourceKind.WEB, now=start)
    # The key of the website: its page shows the tag, which works in any page that somebody tries it in.
    write_keys.issue(source=web, name="Website", kind=KeyKind.BROWSER, actor=admin, now=start)
    channels = {channel.code: channel for channel in Channel.objects.all()}
    for name, series, price in story.PRODUCTS:
        products.create(name=name, series=series, list_price=price, currency="EUR", actor=admin, now=start)
    rituals.prepare(cast=cast, now=start)
    for firm in firms(Random(0)):  # noqa: S311 - a story, not a secret
        companies.create(
            name=firm.name,
            domain=firm.domain,
            industry=firm.industry,
            employees=firm.employees,
            annual_revenue=firm.revenue,
            currency="EUR",
            country=firm.country,
            city=firm.city,
            attributes=rituals.own_fields(firm.employees),
            actor=admin,
            now=start,
        )
    made = _campaigns(cast, channels, start, end)
    return World(
        users=cast,
        campaigns=made,
        site=website.build(cast=cast, guide=made[website.GUIDE], now=start),
        channels=channels,
        web=web,
        zone=ZoneInfo(story.ORGANISATION["time_zone"]),
    )


def settle(*, now: datetime) -> None:
    """Turn what the year has promised into in-app notices, without mailing anybody about the past.

    The website's days are computed, and where companies stand, so that their pages are full when the first
    user looks.
    """
    while outbox.fan_out(now=now, limit=1000):
        pass
    while website_days.run_once(now=now, limit=5000):
        pass
    while CompanyMark.objects.exists():
        company_scores.run_once(now=now, limit=1000)


def _colleagues(now: datetime) -> dict[str, User]:
    side_teams = {
        "marketing": teams.create(name="Marketing", side="marketing", actor=None, now=now),
        "sales": teams.create(name="Sales", side="sales", actor=None, now=now),
    }
    cast = {}
    hashed = make_password(story.PASSWORD)
    for colleague in story.CAST:
        user = users.create(
            name=colleague.name,
            email=f"{colleague.key}@{story.DOMAIN}",
            role=colleague.role,
            time_zone=story.ORGANISATION["time_zone"],
            is_demo=True,
            actor=None,
            now=now,
        )
        # One hash for all: ten slow hashes of the same published password would only take time.
        users.set_hashed_password(user=user, hashed=hashed, now=now)
        if user.side is not None:
            teams.add_member(
                team=side_teams[user.side],
                user=user,
                is_lead=colleague.role.value.endswith("manager"),
                actor=None,
                now=now,
            )
        cast[colleague.key] = user
    return cast


def _sign(cast: dict[str, User], now: datetime) -> None:
    definition = DefinitionVersion.objects.in_force().get()
    for key in ("marketing-manager", "sales-manager"):
        definition = definitions.sign(definition=definition, signer=cast[key], now=now)


def _campaigns(
    cast: dict[str, User], channels: dict[str, Channel], start: datetime, end: datetime
) -> dict[str, Campaign]:
    made = {}
    for effort in story.EFFORTS:
        first = start + effort.start * (end - start)
        last = start + effort.end * (end - start)
        over = last < end - timedelta(days=1)
        made[effort.name] = campaigns.create(
            name=effort.name,
            kind=effort.kind,
            status=CampaignStatus.COMPLETED if over else CampaignStatus.ACTIVE,
            channel=channels.get(effort.channel),
            owner=cast[effort.owner],
            starts_on=first.date(),
            ends_on=last.date() if over else None,
            budget=effort.cost,
            actual_cost=effort.cost * (1 if over else 0) or effort.cost / 2,
            currency="EUR",
            actor=cast[effort.owner],
            now=first,
        )
    return made
