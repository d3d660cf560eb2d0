"""Once a definition was in force its body stays as it was signed, whoever writes (N1, N2)."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION funnel_definition_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a definition that was in force is not changed: make a new draft' USING ERRCODE = '23001';
END $$;
CREATE TRIGGER funnel_definition_stays_edit BEFORE UPDATE ON funnel_definitionversion
  FOR EACH ROW WHEN (OLD.state IN ('in_force', 'retired') AND (
    OLD.body IS DISTINCT FROM NEW.body OR OLD.digest IS DISTINCT FROM NEW.digest
    OR OLD.number IS DISTINCT FROM NEW.number OR NEW.state IN ('draft', 'proposed')
    OR (OLD.state = 'retired' AND NEW.state = 'in_force')))
  EXECUTE FUNCTION funnel_definition_stays();
CREATE TRIGGER funnel_definition_stays_del BEFORE DELETE ON funnel_definitionversion
  FOR EACH ROW WHEN (OLD.state IN ('in_force', 'retired')) EXECUTE FUNCTION funnel_definition_stays();
"""
BACKWARD = """
DROP TRIGGER funnel_definition_stays_del ON funnel_definitionversion;
DROP TRIGGER funnel_definition_stays_edit ON funnel_definitionversion;
DROP FUNCTION funnel_definition_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("funnel", "0004_default_stages_and_ring")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
