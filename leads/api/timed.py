"""Lists of what happened to persons, which are put in order of time by an index per person."""

from __future__ import annotations

from typing import Any

from smarketing.core.errors import FieldError
from smarketing.web.rest.parameters import BadParameter
from smarketing.web.rest.views import Listable


class TimedListable(Listable):
    """``ordering=occurred_at`` needs ``person``: the index that serves it begins with the person."""

    def ordering_paths(self: Any) -> tuple[str, ...]:
        """As the resource says, after that check."""
        paths: tuple[str, ...] = super().ordering_paths()  # type: ignore[misc]
        if "person" not in self.request.query_params and {"occurred_at", "-occurred_at"} & set(paths):
            raise BadParameter(
                "Order by occurred_at within one person: add person=… or order by id.",
                errors=[FieldError("ordering", "needs_person", "Add person=…")],
            )
        return paths
