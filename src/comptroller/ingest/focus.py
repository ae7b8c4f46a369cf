"""FOCUS 1.0, 1.1 and 1.2 (FinOps Open Cost and Usage Specification), and what 0.5 and 1.3 name otherwise."""

from typing import Final

from comptroller.enums import BillFormat
from comptroller.ingest.reading import Reading
from comptroller.ingest.table import Table

# Field: FOCUS column, then its names in other versions and in common departures.
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "time": ("ChargePeriodStart",),
    "end": ("ChargePeriodEnd",),
    "period_start": ("BillingPeriodStart",),
    "period_end": ("BillingPeriodEnd",),
    "category": ("ChargeCategory", "ChargeType"),
    "class": ("ChargeClass",),
    "provider": ("ProviderName", "ServiceProviderName", "Provider", "PublisherName"),
    "billing_account": ("BillingAccountId",),
    "account": ("SubAccountId",),
    "service": ("ServiceName",),
    "region": ("RegionId", "Region", "RegionName"),
    "resource": ("ResourceId",),
    "sku": ("SkuId", "SkuPriceId"),
    "description": ("ChargeDescription",),
    "tags": ("Tags",),
    "currency": ("BillingCurrency",),
    "billed": ("BilledCost",),
    "effective": ("EffectiveCost", "AmortizedCost"),
    "list": ("ListCost",),
    "contracted": ("ContractedCost",),
    "quantity": ("ConsumedQuantity",),
    "unit": ("ConsumedUnit",),
}
_SIGNATURE: Final = ("BilledCost", "EffectiveCost", "ChargePeriodStart", "BillingPeriodStart", "ChargeCategory")


def read_focus(table: Table) -> Reading | None:
    """Recognise a FOCUS file by any of its signature columns; None if it has none."""
    if not any(table.find(column) for column in _SIGNATURE):
        return None
    found = {field: table.find(*aliases) for field, aliases in COLUMNS.items()}
    origins = {field: name for field, name in found.items() if name is not None}
    return Reading(
        format=BillFormat.FOCUS,
        fields={field: table.text(name) for field, name in origins.items()},
        origins={field: aliases[0] for field, aliases in COLUMNS.items()} | origins,
        is_float=any(origins.get(field) in table.float_columns for field in ("billed", "effective")),
    )
