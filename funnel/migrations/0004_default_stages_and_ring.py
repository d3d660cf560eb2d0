"""A new installation starts with these stages, this board and one ring for all reps."""

from django.db import migrations

DAY = 86_400
# code, name, kind, owner side, meaning, how in, how out, time limit in days
STAGES = [
    (
        "visitor", "Visitor", "main", "marketing",
        "Somebody who looks at our pages and has not told us who they are.",
        "The first recorded event of an unknown browser.",
        "The person becomes known.", None,
    ),
    (
        "lead", "Lead", "main", "marketing",
        "A known person who showed interest. Not yet checked against the definition.",
        "The person became known by at least one identifier.",
        "Fit and interest reach a cell of the definition that says: hand off.", 90,
    ),
    (
        "mql", "MQL", "main", "marketing",
        "A lead that fits the signed definition and shows enough interest to be handed to sales.",
        "Fit and interest reached a cell of the definition that says: hand off.",
        "Sales accepts it, and need and budget are recorded; or sales returns it.", 3,
    ),
    (
        "sql", "SQL", "main", "sales",
        "A lead that sales accepted after speaking with the person.",
        "Accepted by sales, and need and budget are recorded.",
        "An opportunity is opened, or the lead is recycled.", 30,
    ),
    (
        "opportunity", "Opportunity", "main", "sales",
        "A concrete deal with an amount and a date is being worked on.",
        "An opportunity was opened for the lead.",
        "The opportunity is won or lost.", 120,
    ),
    (
        "customer", "Customer", "main", "sales",
        "The deal was won.", "An opportunity of the lead was won.", "", None,
    ),
    (
        "nurture", "Nurture", "side", "marketing",
        "The right kind of person, at the wrong time. Marketing stays in touch.",
        "The definition, or sales with the reason “not ready”, says: keep warm.",
        "Delivered again, or moved by hand.", 365,
    ),
    (
        "recycled", "Recycled", "side", "marketing",
        "Given back by sales. When the person comes back, a new lead of the same person begins.",
        "Returned by sales with a reason that leaves the door open.", "", None,
    ),
    (
        "disqualified", "Disqualified", "side", "marketing",
        "Will never buy from us, and is not delivered again.",
        "An exclusion matched, or a return said so with its reason.", "", None,
    ),
    (
        "lost", "Lost", "side", "sales",
        "There was a deal, and it went elsewhere.",
        "The last open opportunity of the lead was lost.", "", None,
    ),
]  # fmt: skip
# code, name, kind, days after which a deal has stood too long
BOARD = [
    ("prospecting", "Prospecting", "open", 14),
    ("engaging", "Engaging", "open", 30),
    ("proposal", "Proposal", "open", 30),
    ("negotiation", "Negotiation", "open", 21),
    ("won", "Won", "won", None),
    ("lost", "Lost", "lost", None),
]


def create(apps, schema_editor):
    Stage = apps.get_model("funnel", "Stage")
    for position, (code, name, kind, side, meaning, entry, leave, limit) in enumerate(STAGES):
        Stage.objects.get_or_create(
            code=code,
            defaults={
                "name": name,
                "kind": kind,
                "position": position,
                "owner_side": side,
                "meaning": meaning,
                "entry": entry,
                "exit": leave,
                "time_limit_seconds": limit and limit * DAY,
            },
        )
    OpportunityStage = apps.get_model("funnel", "OpportunityStage")
    for position, (code, name, kind, rotting) in enumerate(BOARD):
        OpportunityStage.objects.get_or_create(
            code=code,
            defaults={"name": name, "kind": kind, "position": position, "rotting_days": rotting},
        )
    Ring = apps.get_model("funnel", "Ring")
    if not Ring.objects.filter(is_default=True).exists():
        Ring.objects.create(name="All reps", is_default=True)


class Migration(migrations.Migration):
    dependencies = [("funnel", "0003_fit_periods_and_whole_pointers")]

    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
