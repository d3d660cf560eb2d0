"""Products: what is sold. Written here and by the import."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from funnel.models import Product
from leads.domain import identities
from leads.services import sources
from smarketing.core.changes import changed
from smarketing.core.errors import Conflict, Denied, FieldError, Invalid
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class ProductExists(Conflict):
    """Another product has this name, however it is spelled."""

    code = "product_exists"


@transaction.atomic
def create(
    *,
    name: str,
    series: str = "",
    list_price: Decimal | None = None,
    currency: str = "",
    actor: User | None,
    now: datetime,
) -> Product:
    """Add a product. Names are compared by ``identities.product_key``.

    Raises ``Denied`` without the capability to edit opportunities, ``Invalid`` naming the field,
    :class:`ProductExists`.
    """
    if actor is not None and not actor.may(Capability.EDIT_OPPORTUNITIES):
        raise Denied(_("Products are edited by sales."))
    name = " ".join(name.split())
    if not name or len(name) > 200:
        raise Invalid(
            _("A product needs a name."),
            errors=[FieldError("name", "required", _("Write a name of at most 200 characters."))],
        )
    if list_price is not None and list_price < 0:
        raise Invalid(
            _("A price can't be negative."),
            errors=[FieldError("list_price", "negative", _("Write 0 or more."))],
        )
    try:
        with transaction.atomic():
            product = Product.objects.create(
                name=name,
                name_key=identities.product_key(name),
                series=series,
                list_price=list_price,
                currency=currency,
                source=sources.manual(now=now),
                created_at=now,
                updated_at=now,
            )
    except IntegrityError as error:
        raise ProductExists(_("There is a product of this name already.")) from error
    changed(actor=actor, action="product_created", obj=product, after={"name": name}, now=now)
    return product
