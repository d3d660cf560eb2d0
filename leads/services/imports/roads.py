"""By which channel somebody came, from what a file says of origin and medium."""

from __future__ import annotations

from leads.domain import channels as words
from leads.domain.channel_rules import traffic_of
from leads.models import Channel
from leads.selectors import channel_rules
from leads.services.imports.staging import Batch


def channels(*, batch: Batch) -> None:
    """Leave ``import_channel (origin, medium, channel_id)``, one row for each pair the file has.

    A blank origin has no channel; "unknown" said so and has the channel of that name.
    """
    ids = dict(Channel.objects.values_list("code", "pk"))
    rows = []
    in_force = channel_rules.in_force()
    for origin, medium in batch.fetch("SELECT DISTINCT origin, medium FROM import_row"):
        if medium:
            code: str | None = in_force.channel_of(traffic_of(source=origin or "", medium=medium))
        else:
            code = words.from_origin(origin or "")
        rows.append((origin or "", medium or "", ids.get(code) if code else None))
    columns = (("origin", "text"), ("medium", "text"), ("channel_id", "bigint"))
    batch.load("import_channel", columns, rows)
