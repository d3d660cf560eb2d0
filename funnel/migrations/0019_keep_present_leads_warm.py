"""The rule of nurture, and an episode for every lead that is in nurture already."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

_PRESENT = """
INSERT INTO funnel_nurture (lead_id, state, cause, reason, began_at, created_at, updated_at, version)
SELECT s.lead_id, 'active', 'imported', '', s.entered_at, now(), now(), 1
  FROM funnel_leadstate s JOIN funnel_stage g ON g.id = s.stage_id AND g.code = 'nurture'
ON CONFLICT (lead_id) DO NOTHING
"""


def make(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The one row of the rule; nobody is chosen as owner of episodes that nobody began."""
    apps.get_model("funnel", "NurtureRule").objects.get_or_create(pk=1)
    schema_editor.execute(_PRESENT)


class Migration(migrations.Migration):
    dependencies = [("funnel", "0018_nurture")]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
