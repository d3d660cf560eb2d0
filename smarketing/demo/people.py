"""The people who come: drawn from the story with a seed, good and poor ones mixed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from smarketing.demo import story
from smarketing.demo.story import Effort


@dataclass(frozen=True, slots=True)
class Firm:
    """A company that people come from."""

    name: str
    domain: str
    industry: str
    employees: int
    revenue: int
    country: str
    city: str


@dataclass(frozen=True, slots=True)
class Customer:
    """One person who comes at ``when`` (share of the year). ``heat`` says how eager, ``fit`` how apt."""

    number: int
    when: float
    first_name: str
    last_name: str
    email: str
    phone: str
    title: str
    company: Firm | None
    effort: Effort | None
    channel: str
    origin: str
    fit: bool
    heat: float
    request: str
    is_recent: bool


def firms(random: Random) -> list[Firm]:
    """The companies of the story, with industry, size and place."""
    found, tails = [], list(story.COMPANY_TAILS)
    for index, head in enumerate(story.COMPANY_HEADS):
        for tail in (tails[index % 8], tails[(index + 3) % 8]):
            country, city = random.choice(story.COUNTRIES)
            employees = int(random.lognormvariate(5.2, 1.1)) + 5
            found.append(
                Firm(
                    name=f"{head} {tail}",
                    domain=f"{head}-{tail}.example".lower(),
                    industry=story.COMPANY_TAILS[tail],
                    employees=employees,
                    revenue=employees * random.randint(90_000, 260_000),
                    country=country,
                    city=city,
                )
            )
    return found


def customers(count: int, random: Random) -> Iterator[Customer]:
    """``count`` people, each with the campaign (or none) that brought them."""
    companies = firms(random)
    used: set[str] = set()
    for number in range(count):
        # Every sixth person came in the last days, so that the queue of today has something in it.
        is_recent = number % 6 == 0
        effort = _effort(random, running=is_recent)
        if effort is None:
            origin, channel, _weight = random.choices(
                story.PLAIN_ORIGINS, weights=[p[2] for p in story.PLAIN_ORIGINS]
            )[0]
            when, fits, heat = random.random(), random.random() < 0.5, random.betavariate(2, 3)
        else:
            origin, channel = effort.origin, effort.channel
            when = random.uniform(effort.start, effort.end)
            fits = random.random() < effort.fit
            heat = min(1.0, max(0.03, random.gauss(effort.heat, 0.22)))
        if is_recent:
            when, fits = random.uniform(0.986, 0.9985), fits or random.random() < 0.6
        yield _person(
            number, when, companies, effort, channel, origin, fits, heat, used, random, is_recent=is_recent
        )


def _effort(random: Random, *, running: bool) -> Effort | None:
    """A campaign, or none; only one that still runs when ``running``."""
    choice = [effort for effort in story.EFFORTS if effort.end >= 1.0 or not running]
    return random.choices([*choice, None], weights=[*(e.weight for e in choice), 2.2])[0]


def _person(  # noqa: PLR0913 - the traits of one person
    number: int,
    when: float,
    companies: list[Firm],
    effort: Effort | None,
    channel: str,
    origin: str,
    fits: bool,  # noqa: FBT001
    heat: float,
    used: set[str],
    random: Random,
    *,
    is_recent: bool,
) -> Customer:
    first, last = random.choice(story.FIRST_NAMES), random.choice(story.LAST_NAMES)
    firm = random.choice(companies) if fits or random.random() < 0.5 else None
    host = firm.domain if firm else random.choice(("gmail.com", "gmx.de", "outlook.com"))
    local = "".join(c for c in f"{first}.{last}".lower() if c not in " '’")
    local = local.encode("ascii", "ignore").decode() or "contact"
    email = f"{local}@{host}"
    if email in used:
        email = f"{local}{number}@{host}"
    used.add(email)
    # A few good leads come without a telephone or a company and are held at the gate.
    phone = f"+49 30 55501{number:04d}" if fits and random.random() < 0.85 else ""
    return Customer(
        number=number,
        when=when,
        first_name=first,
        last_name=last if random.random() < 0.97 else "",
        email=email,
        phone=phone,
        title=random.choice(story.GOOD_TITLES if fits else story.POOR_TITLES),
        company=firm,
        effort=effort,
        channel=channel,
        origin=origin,
        fit=fits,
        heat=heat,
        request=random.choice(story.NEEDS) if random.random() < heat * 0.6 else "",
        is_recent=is_recent,
    )
