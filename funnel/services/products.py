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
from smarketing.core.errors import Conflict, Denied, FieldError, Invalid, Stale
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class ProductChanged(Stale):
    """Somebody else changed the product since it was read."""


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
    _check_may_edit(actor)
    name = _checked_name(name)
    _check_price(list_price, currency)
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


@transaction.atomic
def update(
    *,
    product: Product,
    name: str,
    series: str,
    list_price: Decimal | None,
    currency: str,
    is_active: bool,
    actor: User | None,
    now: datetime,
    expected_version: int | None = None,
) -> Product:
    """Change a product; one that is no longer sold keeps its deals.

    Raises as :func:`create`, and :class:`ProductChanged`.
    """
    _check_may_edit(actor)
    locked = Product.objects.select_for_update().get(pk=product.pk)
    if expected_version is not None and locked.version != expected_version:
        raise ProductChanged(_("Somebody else changed this product first. Look at it again."))
    name = _checked_name(name)
    _check_price(list_price, currency)
    before = _as_json(locked)
    locked.name, locked.name_key, locked.series = name, identities.product_key(name), series
    locked.list_price, locked.currency, locked.is_active = list_price, currency, is_active
    locked.version, locked.updated_at = locked.version + 1, now
    try:
        with transaction.atomic():
            locked.save(
                update_fields=[
                    "name", "name_key", "series", "list_price", "currency", "is_active", "version",
                    "updated_at",
                ]
            )  # fmt: skip
    except IntegrityError as error:
        raise ProductExists(_("There is a product of this name already.")) from error
    changed(actor=actor, action="product_changed", obj=locked, before=before, after=_as_json(locked), now=now)
    return locked


def _as_json(product: Product) -> dict[str, object]:
    price = None if product.list_price is None else str(product.list_price)
    return {"name": product.name, "list_price": price, "is_active": product.is_active}


def _check_may_edit(actor: User | None) -> None:
    if actor is not None and not actor.may(Capability.EDIT_OPPORTUNITIES):
        raise Denied(_("Products are edited by sales."))


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > 200:
        raise Invalid(
            _("A product needs a name."),
            errors=[FieldError("name", "required", _("Write a name of at most 200 characters."))],
        )
    return name


def _check_price(list_price: Decimal | None, currency: str) -> None:
    if list_price is not None and list_price < 0:
        raise Invalid(
            _("A price can't be negative."),
            errors=[FieldError("list_price", "negative", _("Write 0 or more."))],
        )
    if list_price is not None and not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        detail = _("Give a currency of three letters, such as EUR.")
        raise Invalid(detail, errors=[FieldError("currency", "bad_currency", detail)])
