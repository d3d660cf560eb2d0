"""Who and what the demo company is: its cast, customers, campaigns and habits.

Everything is invented. Names of people come from common lists, addresses end in ``.example``.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from smarketing.users.domain.roles import Role, Side

PASSWORD = "smarketing-demo-2026"  # noqa: S105 - the published sign-in of the demo company
DOMAIN = "brightwater.example"
ORGANISATION = {
    "name": "Brightwater Sensors",
    "currency": "EUR",
    "country": "DE",
    "time_zone": "Europe/Berlin",
}


@dataclass(frozen=True, slots=True)
class Colleague:
    """One user. ``answer_minutes`` is the median of business minutes until a rep's first attempt;
    ``neglect`` the share of leads that are left alone; ``strict`` how readily a rep returns a lead."""

    key: str
    name: str
    role: Role
    answer_minutes: float = 30.0
    neglect: float = 0.0
    strict: float = 0.1
    skill: float = 1.0


CAST = (
    Colleague("rep", "Ana Costa", Role.REP, answer_minutes=14, neglect=0.01, strict=0.12, skill=1.2),
    Colleague("ben", "Ben Fischer", Role.REP, answer_minutes=26, neglect=0.05, strict=0.10, skill=1.0),
    Colleague("chloe", "Chloé Martin", Role.REP, answer_minutes=20, neglect=0.03, strict=0.30, skill=1.1),
    Colleague("deniz", "Deniz Yilmaz", Role.REP, answer_minutes=52, neglect=0.16, strict=0.08, skill=0.7),
    Colleague("marketer", "Tom Okafor", Role.MARKETER),
    Colleague("jana", "Jana Novák", Role.MARKETER),
    Colleague("sales-manager", "Samuel Reyes", Role.SALES_MANAGER),
    Colleague("marketing-manager", "Mara Lindqvist", Role.MARKETING_MANAGER),
    Colleague("admin", "Alex Admin", Role.ADMIN),
    Colleague("reader", "Robin Reader", Role.READ_ONLY),
)
# The sign-ins that script/demo prints.
SHOWN = ("rep", "marketer", "sales-manager", "marketing-manager", "admin")


@dataclass(frozen=True, slots=True)
class Effort:
    """One campaign: when it ran (share of the year), what it cost, and what its leads are like."""

    name: str
    kind: str
    channel: str
    origin: str
    owner: str
    start: float
    end: float
    cost: Decimal
    weight: float
    fit: float
    heat: float
    page: str


EFFORTS = (
    Effort("Search ads: water monitoring", "advertising", "paid_search", "Paid search", "marketer",
           0.0, 1.0, Decimal(48_000), 3.0, 0.45, 0.55, "/lp/water-monitoring"),
    Effort("Webinar: leak detection in practice", "event", "event", "Webinar", "jana",
           0.15, 0.35, Decimal(6_500), 2.2, 0.75, 0.85, "/webinars/leak-detection"),
    Effort("Guide: ten figures of a healthy plant", "content", "organic_search", "Organic search", "jana",
           0.05, 0.95, Decimal(9_000), 2.6, 0.6, 0.6, "/guides/ten-figures"),
    Effort("Trade fair Hamburg", "event", "event", "Trade fair", "marketer",
           0.55, 0.6, Decimal(31_000), 1.6, 0.8, 0.8, "/fair/hamburg"),
    Effort("Newsletter", "email", "email", "Newsletter", "jana",
           0.0, 1.0, Decimal(3_000), 1.4, 0.55, 0.5, "/news"),
    Effort("Partner: PumpWorks", "partner", "referral", "Partner", "marketer",
           0.3, 1.0, Decimal(12_000), 1.3, 0.85, 0.9, "/partners/pumpworks"),
    Effort("Social: life at the waterworks", "social", "paid_social", "Social media", "jana",
           0.4, 0.75, Decimal(15_500), 2.4, 0.2, 0.3, "/lp/waterworks"),
    Effort("Industry magazine", "pr", "referral", "Press", "marketer",
           0.7, 0.85, Decimal(8_000), 1.0, 0.5, 0.6, "/press"),
)  # fmt: skip
# Leads that no campaign brought, with how often their origin is blank or said to be unknown.
PLAIN_ORIGINS = (
    ("Direct", "direct", 3),
    ("Referral", "referral", 2),
    ("unknown", "", 1),
    ("", "", 1),
)

PRODUCTS = (
    ("Flow One", "Flow", Decimal(4_900)),
    ("Flow Pro", "Flow", Decimal(14_500)),
    ("Leakwatch", "Leakwatch", Decimal(22_000)),
    ("Plant Suite", "Suite", Decimal(58_000)),
)

COUNTRIES = (
    ("DE", "Berlin"),
    ("DE", "Hamburg"),
    ("AT", "Wien"),
    ("NL", "Utrecht"),
    ("DK", "Aarhus"),
    ("FR", "Lyon"),
)
COMPANY_HEADS = (
    "Alster", "Birken", "Cobalt", "Delta", "Elbe", "Falken", "Granit", "Hansa", "Iller", "Juniper", "Kiesel",
    "Linden", "Meridian", "Nordlicht", "Oder", "Polar", "Quell", "Rhein", "Saale", "Tauern", "Ulmen", "Vesta",
    "Weser", "Xenon", "Ybbs", "Zeder",
)  # fmt: skip
# The second half of a name, and the industry it tells.
COMPANY_TAILS = {
    "Wasser": "Water utilities",
    "Chemie": "Chemicals",
    "Brau": "Food and beverages",
    "Papier": "Paper",
    "Energie": "Energy",
    "Pharma": "Pharma",
    "Werke": "Metals",
    "Anlagen": "Plant engineering",
}

FIRST_NAMES = (
    "Lena", "Jonas", "Mia", "Lukas", "Emma", "Paul", "Hanna", "Felix", "Sofia", "Noah", "Clara", "Elias",
    "Ida", "Anton", "Marta", "Oskar", "Greta", "Emil", "Nora", "Karl", "Ines", "Hugo", "Alma", "Theo",
    "Zoë", "Luís",
)  # fmt: skip
LAST_NAMES = (
    "Weber", "Schulz", "Keller", "Vogel", "Brandt", "Lorenz", "Seidel", "Krause", "Busch", "Pohl", "Engel",
    "Jansen", "de Vries", "Sørensen", "Moreau", "Petit", "Gruber", "Huber", "Ø'Brien", "Ruiz", "Novotný",
)  # fmt: skip
GOOD_TITLES = (
    "Head of Operations",
    "Technical Director",
    "Chief Engineer",
    "VP Production",
    "Head of Maintenance",
)
POOR_TITLES = ("Student", "Intern", "Consultant", "Assistant", "Journalist")

LOST_REASONS = ("price", "competitor", "no_decision", "timing", "missing_feature")
LOSSES = {
    "price": "A third above what they had planned, and no discount would have closed the gap.",
    "competitor": "Took the offer that came with the pumps they were buying anyway.",
    "no_decision": "The board put the project off without a date.",
    "timing": "Comes back to it when the new plant is built.",
    "missing_feature": "Needs readings in places without power.",
}
COMPETITORS = ("Aquametrix", "Sensoria", "an own development")
RETURNS = ("no_fit", "not_ready", "no_budget", "wrong_contact", "unreachable")
NOTES = {
    "no_fit": "Far too small for us: one site, no budget line for monitoring.",
    "not_ready": "Interested, but the project starts next year. Please keep them warm.",
    "no_budget": "Budget was spent in spring.",
    "wrong_contact": "Has nothing to do with operations; asked for the right person.",
    "unreachable": "Five calls, two mails, no answer. The number is a switchboard.",
}
NEEDS = (
    "Wants leak alarms for three plants before winter.",
    "Has to report consumption by line from January.",
    "Replaces manual readings in two waterworks.",
    "Needs a proof of water savings for the audit.",
)

# What the teams decide when they meet.
DECISIONS = (
    "Leads of the guide wait for a second visit before they count. Tom changes the wording of its form.",
    "Sales calls webinar leads on the same day. Two returns of last week were read together.",
    "Titles: “Head of Maintenance” decides, “Consultant” does not. The definition stays as it is.",
    "The fair brings forty leads in two days: Deniz and Ben keep Thursday free.",
    "Why we lost: price, twice. Marketing writes the page about the cost of a leak.",
    "Nothing new; the promises of both sides were looked at one by one.",
)
# A field of their own on companies.
PLANTS = "plants"
TEMPLATES = (
    (
        "First answer",
        "Your question about {{ company }}",
        "Hello {{ first_name }},\n\nthank you for writing to us. When may I call you for ten minutes?\n\n"
        "Kind regards\n{{ sender_name }}",
    ),
    (
        "After a call that nobody took",
        "I tried to reach you",
        "Hello {{ first_name }},\n\nI called today and will try again tomorrow before noon. "
        "If another time suits you better, just answer this mail.\n\nKind regards\n{{ sender_name }}",
    ),
)
# Rated in the questionnaire beside the rules of the definition.
STATEMENTS = ("They say when they want to decide.", "They run more than three plants.")
# What each side looks at when it rates: words in the text of a rule.
CARES = {
    Side.MARKETING: ("demo", "page", "form", "download", "webinar", "work", "domain"),
    Side.SALES: ("demo", "title", "employees", "revenue", "decide", "plants"),
}
WORDS = {
    Side.MARKETING: {
        "definition": "Somebody of the right kind of company who has shown twice that they are interested.",
        "discard": "Students, competitors, addresses of free mail without a company.",
        "traits": "They read the prices, come back within a week, ask for a demo.",
        "stages": "MQL: ready for a call. SQL: sales agrees.",
    },
    Side.SALES: {
        "definition": "Somebody who may decide and has a plant that leaks.",
        "discard": "Consultants and whoever only wants the guide.",
        "traits": "Title, size of the company, a date by which they have to decide.",
        "stages": "MQL: worth a call today. SQL: need and budget are known.",
    },
}
