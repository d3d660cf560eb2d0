"""Version 1 of the definition: in force from the start, and marked as signed by nobody yet."""

from datetime import UTC, datetime

from django.db import migrations

# Before anything that is imported; interest is measured from the landmark (architecture 2.2).
IN_FORCE_FROM = datetime(1970, 1, 1, tzinfo=UTC)
LANDMARK = datetime(2020, 1, 1, tzinfo=UTC)
DIGEST = "a50f2555cce7427515cb3f6cf130cb9256a202e5011a85361c89148b22a2bea5"
BODY = {
    "fit": [
        {"key": "decides", "path": "person.title", "operator": "matches", "points": 15, "value": "*head*"},
        {"key": "directs", "path": "person.title", "operator": "matches", "points": 20, "value": "*director*"},
        {"key": "chief", "path": "person.title", "operator": "matches", "points": 20, "value": "*chief*"},
        {"key": "vice_president", "path": "person.title", "operator": "matches", "points": 20, "value": "*vp*"},
        {"key": "company_known", "path": "company.name", "operator": "known", "points": 15},
        {"key": "company_size", "path": "company.employees", "operator": "at_least", "points": 25, "value": 50},
        {"key": "company_revenue", "path": "company.annual_revenue", "operator": "at_least", "points": 15, "value": 1000000},
        {"key": "industry_known", "path": "company.industry", "operator": "known", "points": 10},
        {"key": "work_email", "path": "person.has_work_email", "operator": "equals", "points": 15, "value": True},
        {"key": "private_email", "path": "person.has_work_email", "operator": "equals", "points": -15, "value": False},
    ],
    "signals": [
        {"key": "page", "event": "page", "points": 1, "daily_cap": 5},
        {"key": "pricing_page", "event": "page", "points": 8, "daily_cap": 2, "where": [{"path": "properties.url", "operator": "contains", "value": "pricing"}]},
        {"key": "email_opened", "event": "email_open", "points": 1, "daily_cap": 1},
        {"key": "email_clicked", "event": "email_click", "points": 4, "daily_cap": 2},
        {"key": "form_submitted", "event": "form", "points": 15, "daily_cap": 1},
        {"key": "demo_requested", "event": "form", "points": 40, "daily_cap": 1, "where": [{"path": "properties.name", "operator": "matches", "value": "*demo*"}]},
        {"key": "content_downloaded", "event": "track", "points": 12, "daily_cap": 2, "where": [{"path": "properties.name", "operator": "matches", "value": "content downloaded"}]},
        {"key": "webinar_attended", "event": "track", "points": 20, "daily_cap": 1, "where": [{"path": "properties.name", "operator": "matches", "value": "webinar attended"}]},
        {"key": "event_attended", "event": "track", "points": 20, "daily_cap": 1, "where": [{"path": "properties.name", "operator": "matches", "value": "event attended"}]},
        {"key": "trial_started", "event": "track", "points": 40, "daily_cap": 1, "where": [{"path": "properties.name", "operator": "matches", "value": "trial started"}]},
        {"key": "unsubscribed", "event": "track", "points": -30, "daily_cap": 1, "where": [{"path": "properties.name", "operator": "matches", "value": "*unsubscribed"}]},
    ],
    "half_life_days": 30,
    "fit_bands": {"A": 60, "B": 30},
    "interest_bands": {"1": 40, "2": 15},
    "matrix": {"A1": "hand_off", "A2": "hand_off", "A3": "nurture", "B1": "hand_off", "B2": "nurture", "B3": "nurture", "C1": "self_serve", "C2": "self_serve", "C3": "discard"},
    "minimum_information": [
        ["person.name"],
        ["person.email", "person.phone"],
        ["company.name"],
    ],
    "exclusions": [
        {"key": "unsubscribed", "path": "person.do_not_contact", "operator": "equals", "value": True, "reason": "Asked not to be contacted"},
        {"key": "student", "path": "person.title", "operator": "matches", "value": "*student*", "reason": "Student"},
    ],
    "hysteresis": 0.1,
}  # fmt: skip


def create(apps, schema_editor):
    DefinitionVersion = apps.get_model("funnel", "DefinitionVersion")
    if not DefinitionVersion.objects.exists():
        DefinitionVersion.objects.create(
            number=1,
            name="Default",
            state="in_force",
            body=BODY,
            digest=DIGEST,
            landmark=LANDMARK,
            in_force_from=IN_FORCE_FROM,
        )


class Migration(migrations.Migration):
    dependencies = [("funnel", "0005_signed_definitions_stay")]

    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
