"""What the stages that came with the installation do in the journey, and what they say today."""

from django.db import migrations

ROLES = {"visitor": "anonymous", "customer": "won", "nurture": "parking"}
REACHED_FROM = {"nurture": "lead", "recycled": "mql", "lost": "opportunity"}
CLOSED = ("recycled", "disqualified", "lost", "merged")
SAID = (
    "name", "role", "owner_side", "meaning", "entry", "exit", "rule", "monthly_target", "target_conversion",
    "time_limit_seconds", "is_active",
)  # fmt: skip


def fill(apps, schema_editor):
    Stage = apps.get_model("funnel", "Stage")
    StageVersion = apps.get_model("funnel", "StageVersion")
    stages = {stage.code: stage for stage in Stage.objects.all()}
    for code, stage in stages.items():
        stage.role = ROLES.get(code, "closed" if code in CLOSED else "main")
        stage.reached_from = stages.get(REACHED_FROM.get(code))
        stage.by_hand = code != "merged"
        stage.is_builtin, stage.counts_as, stage.is_active = True, code, True
        stage.save(update_fields=["role", "reached_from", "by_hand", "is_builtin", "counts_as", "is_active"])
        said = {name: getattr(stage, name) for name in SAID}
        StageVersion.objects.get_or_create(
            stage=stage,
            version=stage.version,
            defaults={"document": said, "created_at": stage.updated_at},
        )


class Migration(migrations.Migration):
    dependencies = [("funnel", "0027_stages_of_ones_own")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
