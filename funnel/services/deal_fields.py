"""What the columns of a deal may hold."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from funnel.models import Opportunity
from funnel.services import owners
from leads.models import AttributeSubject
from leads.services import attributes
from smarketing.core.errors import FieldError, Invalid

COLUMNS = frozenset(
    {"name", "product", "amount", "currency", "owner", "expected_close_on", "attributes", "company", "person"}
)
_LARGEST = Decimal(10) ** 16


class BadDeal(Invalid):
    """A value of a deal is not usable; ``errors`` names the fields."""

    code = "bad_deal"


def checked(*, values: Mapping[str, Any], present: Opportunity | None = None) -> dict[str, Any]:
    """``values`` in the form they are stored. Raises :class:`BadDeal`, ``BadAttribute``, ``NotAnOwner``.

    ``present`` is the deal as it stands: its owner may stay although no more leads go to them, and
    attributes are merged into its own.
    """
    good = dict(values)
    errors = [
        FieldError(name, "unknown_field", _("A deal has no such field that can be changed."))
        for name in sorted(set(values) - COLUMNS)
    ]
    if "name" in good:
        good["name"] = str(good["name"]).strip()
        if not 0 < len(good["name"]) <= 300:
            errors.append(FieldError("name", "bad_name", _("Give a name of at most 300 characters.")))
    if "currency" in good:
        good["currency"] = str(good["currency"]).strip().upper()
        code = good["currency"]
        if not (len(code) == 3 and code.isascii() and code.isalpha()):
            errors.append(
                FieldError("currency", "bad_currency", _("Give a currency of three letters, such as EUR."))
            )
    amount = good.get("amount")
    if amount is not None and not (amount.is_finite() and 0 <= amount < _LARGEST):
        errors.append(FieldError("amount", "bad_amount", _("Give an amount of zero or more.")))
    if errors:
        raise BadDeal(_("Some values of the opportunity can't be used."), errors=errors)
    if "attributes" in good:
        good["attributes"] = attributes.merged(
            subject=AttributeSubject.OPPORTUNITY,
            present=present.attributes if present else {},
            changes=good["attributes"],
        )
    owner = good.get("owner")
    if owner is not None and (present is None or present.owner_id != owner.pk):
        owners.check(owner=owner)
    return good
