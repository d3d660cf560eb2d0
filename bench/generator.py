"""Generated data, the same for the same numbers on every machine: a CSV file, or a whole database.

A row's values follow from its number by a multiplicative hash; nothing is drawn. Names repeat as names
do (2,400 pairs), e-mail addresses do not. What has a table of facts only (companies, persons, e-mail
addresses, leads, events, masses) goes in by COPY; stage, owner, score and journey are written by the
product's own set-based services, so the data are what the product would have made.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from django.contrib.auth.hashers import make_password
from django.db import connection

from bench import harness
from funnel.models import DefinitionVersion
from funnel.selectors import signals
from funnel.services import frames, placing
from leads.domain.identities import company_key
from leads.models import Channel, Source, SourceKind
from leads.services import sources
from smarketing.users.domain.roles import Role
from smarketing.users.services import users

FIRST = (
    "Ada", "Alan", "Anna", "Bela", "Bruno", "Carla", "Chen", "Dana", "David", "Elif", "Emma", "Erik",
    "Farid", "Fiona", "Georg", "Grace", "Hana", "Hugo", "Ines", "Ivan", "Jana", "Jonas", "Kai", "Katja",
    "Lara", "Leo", "Lina", "Marco", "Maria", "Mei", "Milan", "Nina", "Noah", "Olga", "Omar", "Paula",
    "Rosa", "Sven", "Tariq", "Zoe",
)  # fmt: skip
LAST = (
    "Abbot", "Adler", "Bauer", "Becker", "Berg", "Blanc", "Braun", "Castro", "Cohen", "Costa", "Dubois",
    "Engel", "Evans", "Fischer", "Fontaine", "Garcia", "Gruber", "Haas", "Hansen", "Hoffmann", "Huber",
    "Ivanov", "Jansen", "Jensen", "Kaya", "Keller", "Khan", "Klein", "Kovacs", "Kruger", "Lang",
    "Larsen", "Lehmann", "Lopez", "Maier", "Marin", "Meyer", "Moreau", "Moser", "Nagy", "Novak",
    "Olsen", "Ortega", "Park", "Pereira", "Petrov", "Quinn", "Rossi", "Roth", "Sato", "Schmid", "Silva",
    "Simon", "Sokolov", "Tanaka", "Vogel", "Wagner", "Weber", "Winter", "Wolf",
)  # fmt: skip
TITLES = ("Director of Sales", "Head of Marketing", "Engineer", "Buyer", "CEO", "Student", "Analyst", "")
COUNTRIES = ("Germany", "France", "United States", "Spain", "Japan", "Brazil", "Austria", "")
ORIGINS = ("Organic search", "Paid search", "Trade fair", "Referral", "Webinar", "Newsletter", "unknown", "")
HEADER = (
    "Lead ID", "First Name", "Last Name", "Email", "Company", "Title", "Country", "Lead Source",
    "Created Date",
)  # fmt: skip
END = datetime(2026, 1, 1, tzinfo=UTC)
REPS = 20
PER_COMPANY = 50
# Out of 100 leads: code of the stage and how many stand there.
STAGES = {"lead": 60, "mql": 14, "sql": 7, "opportunity": 5, "customer": 4, "lost": 6, "nurture": 4}
# kind, name, url
BEHAVIOUR = (
    ("page", "", "https://example.com/"),
    ("page", "", "https://example.com/pricing"),
    ("page", "", "https://example.com/blog/how-to"),
    ("email_open", "Newsletter", ""),
    ("email_click", "Newsletter", "https://example.com/"),
    ("form", "Contact", "https://example.com/contact"),
    ("track", "content downloaded", ""),
    ("track", "webinar attended", ""),
)
_CHUNK = 20_000


def mixed(number: int, salt: int = 0) -> int:
    """31 bits that follow from the number and look like chance."""
    x = (number * 2654435761 + salt * 40503 + 12345) & 0xFFFFFFFF
    x = ((x ^ (x >> 15)) * 2246822519) & 0xFFFFFFFF
    return (x ^ (x >> 13)) >> 1


def person(number: int) -> tuple[str, str, str]:
    """First name, last name, e-mail address."""
    first, last = FIRST[mixed(number, 1) % len(FIRST)], LAST[mixed(number, 2) % len(LAST)]
    return first, last, f"{first}.{last}.{number}@firm{number // PER_COMPANY}.example".lower()


def captured_at(number: int, size: int) -> datetime:
    """A year of captures, in a mixed order, each at an instant of its own."""
    return END - timedelta(seconds=(mixed(number, 3) % 31_000_000) + number / size)


def write_csv(path: Path, size: int) -> Path:
    """``size`` leads in nine columns; one row in twenty is a person who was there before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number in range(size):
            who = number - 7 if number % 20 == 19 else number
            first, last, email = person(who)
            firm = f"Firm {who // PER_COMPANY}"
            title, country = TITLES[mixed(who, 4) % 8], COUNTRIES[mixed(who // PER_COMPANY, 5) % 8]
            created = captured_at(number, size).strftime("%Y-%m-%d %H:%M:%S")
            origin = ORIGINS[mixed(number, 6) % 8]
            writer.writerow((f"L{number}", first, last, email, firm, title, country, origin, created))
    return path


# --- a database -----------------------------------------------------------------------------


def name_of(*, size: int, events: int) -> str:
    """The name of a generated database: another one for another schema or another generator."""
    source = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:4]
    return f"bench_{size}_{events}_{harness.state_of_migrations()}_{source}"


def database(*, size: int, events: int) -> str:
    """The name of a database of ``size`` leads with ``events`` events each; made when there is none."""
    name = name_of(size=size, events=events)
    if not harness.exists(name):
        harness.copy_of(harness.base(), "bench_new")
        fill(size=size, events=events)
        harness.rename("bench_new", name)
    harness.use(name)
    return name


def fill(*, size: int, events: int, say: Callable[[str], None] = lambda _text: None) -> None:
    """Fill the empty database that Django works in."""
    source = sources.ensure(code="generated", kind=SourceKind.IMPORT, now=END)
    owner_ids = _colleagues()
    _copy_people(size)
    say("people")
    _copy_leads(size, source, list(Channel.objects.order_by("pk").values_list("pk", flat=True)))
    say("leads")
    if events:
        _copy_events(size, events, source)
        say("events")
    _settle()
    codes = [code for code, share in STAGES.items() for _n in range(share)]
    numbers = iter(range(1, size + 1))
    while chunk := list(islice(numbers, _CHUNK)):
        placing.place_many(
            lead_ids=chunk,
            stage_codes={i: codes[mixed(i, 7) % 100] for i in chunk},
            owner_ids={i: owner_ids[mixed(i, 8) % REPS] for i in chunk if mixed(i, 9) % 2},
            actor_id=None,
            is_import=True,
            now=END,
        )
    say("stages, scores, journeys")
    _settle()


def _colleagues() -> list[int]:
    """Twenty reps; also one marketing manager, who signs in."""
    reps = [
        users.create(name=f"Rep {n}", email=f"rep{n}@bench.example", role=Role.REP, actor=None, now=END).pk
        for n in range(REPS)
    ]
    boss = users.create(
        name="Boss", email="boss@bench.example", role=Role.MARKETING_MANAGER, actor=None, now=END
    )
    users.set_hashed_password(user=boss, hashed=make_password(None), now=END)
    return reps


def _copy_people(size: int) -> None:
    at = END.isoformat()
    firms = range((size - 1) // PER_COMPANY + 1)
    country = [COUNTRIES[mixed(n, 5) % 8] for n in firms]
    copy(
        "leads_company (id, name, name_key, domain, industry, currency, country, city, phone, attributes,"
        " version, created_at, updated_at)",
        (
            f"{n + 1}\tFirm {n}\t{company_key(f'Firm {n}')}\tfirm{n}.example\t\t\t{country[n]}"
            f"\t\t\t{{}}\t1\t{at}\t{at}"
            for n in firms
        ),
    )
    copy(
        "leads_person (id, first_name, last_name, title, company_id, language, country, city, website,"
        " attributes, search_text, version, created_at, updated_at)",
        (_person_row(n, country[n // PER_COMPANY], at) for n in range(size)),
    )
    copy(
        "leads_personemail (person_id, email, is_primary)",
        (f"{n + 1}\t{person(n)[2]}\tt" for n in range(size)),
    )


def _person_row(n: int, country: str, at: str) -> str:
    first, last, email = person(n)
    firm = n // PER_COMPANY
    text = f"{first} {last} {email} firm {firm}".lower()
    title = TITLES[mixed(n, 4) % 8]
    return f"{n + 1}\t{first}\t{last}\t{title}\t{firm + 1}\t\t{country}\t\t\t{{}}\t{text}\t1\t{at}\t{at}"


def _copy_leads(size: int, source: Source, channels: list[int]) -> None:
    at = END.isoformat()
    copy(
        "leads_lead (id, person_id, lap, company_id, captured_at, origin, channel_id, landing_page,"
        " description, attributes, source_id, external_id, version, created_at, updated_at)",
        (
            f"{n + 1}\t{n + 1}\t1\t{n // PER_COMPANY + 1}\t{captured_at(n, size).isoformat()}"
            f"\t{ORIGINS[mixed(n, 6) % 8]}\t{channels[mixed(n, 10) % len(channels)]}\t\t\t{{}}"
            f"\t{source.pk}\tL{n}\t1\t{at}\t{at}"
            for n in range(size)
        ),
    )


def _copy_events(size: int, events: int, source: Source) -> None:
    """Events on a different day each, so that no daily cap bites and the masses are known at once."""
    rules = frames.of(version=DefinitionVersion.objects.in_force().get())
    days = [END.replace(hour=0) - timedelta(days=1 + n) for n in range(365)]
    mass = [rules.decay.mass(day) for day in days]
    kinds = [
        (kind, name, url, signals.slots(rules.rules, (0, kind, name, url, END, {})))
        for kind, name, url in BEHAVIOUR
    ]

    def of(n: int) -> Iterator[tuple[int, int, int]]:
        """(number, day, kind) of the events of a person; a third of the people have none."""
        if mixed(n, 11) % 3:
            for k in range(events * 3 // 2 or 1):
                yield k, (mixed(n, 12) + 37 * k) % 365, mixed(n * 64 + k, 13) % len(kinds)

    def stored() -> Iterator[str]:
        for n in range(size):
            for k, day, which in of(n):
                kind, name, url, _slots = kinds[which]
                at = (days[day] + timedelta(seconds=mixed(n, 14) % 86_000)).isoformat()
                key = hashlib.md5(b"%d.%d" % (n, k), usedforsecurity=False).hexdigest()
                yield f"{key}\t{source.pk}\t{n + 1}\t\t{kind}\t{name}\t{url}\t{at}\t{at}\t{{}}"

    def counted() -> Iterator[str]:
        for n in range(size):
            for _k, day, which in of(n):
                for slot in kinds[which][3]:
                    yield f"{n + 1}\t{rules.version.pk}\t{slot}\t{days[day]:%Y-%m-%d}\t1"

    def held() -> Iterator[str]:
        for n in range(size):
            sums = [0.0] * len(rules.rules.signals)
            for _k, day, which in of(n):
                for slot in kinds[which][3]:
                    sums[slot] += mass[day]
            key = rules.decay.key(rules.rules.weights, sums)
            if any(sums):
                band = rules.rules.interest_band(rules.decay.score_of_key(key, END))
                leave = rules.rules.leave_below(band)
                cools = rules.decay.cools_at(key, leave) if leave is not None else None
                yield "\t".join((
                    str(n + 1), str(rules.version.pk), "{" + ",".join(map(repr, sums)) + "}",
                    "\\N" if key is None else repr(key), cools.isoformat() if cools else "\\N",
                ))  # fmt: skip

    copy(
        "leads_event (id, source_id, person_id, anonymous_id, kind, name, url, occurred_at, received_at,"
        " properties)",
        stored(),
    )
    copy("funnel_signalday (person_id, definition_id, slot, day, count)", counted())
    copy("funnel_interest (person_id, definition_id, masses, key, cools_at)", held())


def copy(into: str, rows: Iterable[str]) -> None:
    """COPY tab-separated rows into a table, given with its columns."""
    with connection.cursor() as cursor:
        cursor.cursor.copy_expert(f"COPY {into} FROM STDIN", Lines(rows))


class Lines:
    """Rows as a file that COPY reads."""

    def __init__(self, rows: Iterable[str]) -> None:
        self._rows = iter(rows)
        self._rest = ""

    def read(self, size: int) -> str:
        """At most ``size`` characters; nothing at the end."""
        if not self._rest:
            self._rest = "".join(f"{row}\n" for row in islice(self._rows, 2000))
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


def _settle() -> None:
    """Sequences after the rows that brought their own keys, and statistics."""
    with connection.cursor() as cursor:
        for table in ("leads_company", "leads_person", "leads_lead"):
            cursor.execute(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))")
        cursor.execute("VACUUM ANALYZE")


def counts() -> dict[str, int]:
    """Rows of the tables that matter, as they are now."""
    tables = ("leads_person", "leads_lead", "leads_event", "funnel_leadstate", "funnel_interest",
              "reporting_journey")  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{t}', count(*) FROM {t}" for t in tables))
        return dict(cursor.fetchall())
