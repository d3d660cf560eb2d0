"""Managers say what a stage means and promises; its code stays."""

from __future__ import annotations

import pytest

from funnel.models import Stage
from funnel.services import stages
from funnel.services.stage_fields import BadStage
from funnel.services.stages import StageChanged, StageEditNotAllowed
from smarketing.audit.models import AuditEntry
from tests.funnel.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def mql(db):
    return Stage.objects.get(code="mql")


def test_a_change_is_kept_in_the_audit_trail(mql, sam):
    changed = stages.update(stage=mql, changes={"monthly_target": 100, "name": " MQL "}, actor=sam, now=NOW)
    assert (changed.monthly_target, changed.version) == (100, 2)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.before, entry.after) == (
        "stage_changed",
        {"monthly_target": None},
        {"monthly_target": 100},
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": "x"}, "code"),
        ({"name": " "}, "name"),
        ({"owner_side": "legal"}, "owner_side"),
        ({"monthly_target": 0}, "monthly_target"),
        ({"time_limit_seconds": "soon"}, "time_limit_seconds"),
    ],
)
def test_unusable_values_are_refused(mql, sam, changes, field):
    with pytest.raises(BadStage) as refused:
        stages.update(stage=mql, changes=changes, actor=sam, now=NOW)
    assert [e.field for e in refused.value.errors] == [field]
    mql.refresh_from_db()
    assert mql.version == 1


def test_reps_and_marketers_do_not_change_stages(mql, rita, mara):
    for user in (rita, mara):
        with pytest.raises(StageEditNotAllowed):
            stages.update(stage=mql, changes={"name": "Mine"}, actor=user, now=NOW)


def test_an_older_version_is_refused(mql, sam):
    stages.update(stage=mql, changes={"name": "Ready"}, actor=sam, now=NOW)
    with pytest.raises(StageChanged):
        stages.update(stage=mql, changes={"name": "Other"}, actor=sam, now=NOW, expected_version=1)
