"""The stage of a lap that ended because its person had two records. Nobody moves a lead there by hand."""

from django.db import migrations


def add(apps, schema_editor):
    Stage = apps.get_model("funnel", "Stage")
    Stage.objects.get_or_create(
        code="merged",
        defaults={
            "name": "Merged",
            "kind": "side",
            "position": 10,
            "owner_side": "marketing",
            "meaning": "The person was known twice; another lead of theirs goes on.",
            "entry": "Two records of one person were merged, and both had an open lead.",
            "is_active": False,
        },
    )


def take_away(apps, schema_editor):
    apps.get_model("funnel", "Stage").objects.filter(code="merged").delete()


class Migration(migrations.Migration):
    dependencies = [("funnel", "0011_laps_of_doubled_people")]

    operations = [migrations.RunPython(add, take_away)]
