"""FOCUS 1.0, 1.1 and 1.2 (FinOps Open Cost and Usage Specification), and what 0.5 and 1.3 name otherwise."""

from typing import Final

from comptroller.enums import BillFormat, ChargeCategory
from comptroller.ingest.reading import Reading, pick, words
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
_WORDS: Final[dict[str, dict[str, str]]] = {
    "category": {word.value: word.value for word in ChargeCategory},
    "class": {"Correction": "Correction"},
}
_SIGNATURE: Final = (
    "BilledCost",
    "EffectiveCost",
    "ChargePeriodStart",
    "BillingPeriodStart",
    "ChargeCategory",
    "ListUnitPrice",
    "InvoiceIssuer",
)


def read_focus(table: Table) -> Reading | None:
    """Recognise a FOCUS file by any of its own column names; None if it has none."""
    signature = [column for column in map(table.find, _SIGNATURE) if column is not None]
    if not signature or table.find("CostInBillingCurrency"):
        return None
    fields, origins = pick(table, COLUMNS)
    for field, known in _WORDS.items():
        if field in fields:
            fields[field] = words(fields[field], known)
    return Reading(
        format=BillFormat.FOCUS,
        fields=fields,
        origins={field: aliases[0] for field, aliases in COLUMNS.items()} | origins,
        is_float=any(origins.get(field) in table.float_columns for field in ("billed", "effective")),
    )
