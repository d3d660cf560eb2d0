"""A ring of owners is a pool now, with a ring of its own for each band; turns start anew, equal for all."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("funnel", "0014_blind_questionnaires")]

    operations = [
        migrations.RenameModel("Ring", "Pool"),
        migrations.RenameModel("RingMember", "PoolMember"),
        migrations.RemoveConstraint("pool", "one_default_ring"),
        migrations.RemoveConstraint("poolmember", "ring_member_once"),
        migrations.RemoveConstraint("poolmember", "ring_weight_in_range"),
        migrations.RenameField("poolmember", "ring", "pool"),
        migrations.RemoveField("poolmember", "pointer"),
    ]
