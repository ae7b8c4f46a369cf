"""Azure's own cost exports: Enterprise Agreement, Microsoft Customer Agreement, pay as you go, actual or amortised.

Source: "Cost and usage details fields" of Microsoft. One export has one cost; it counts as billed and as effective.
"""

from typing import Final

from comptroller.enums import BillFormat, ChargeCategory
from comptroller.ingest.reading import Reading, constant, pick, words
from comptroller.ingest.table import Table
from comptroller.ingest.values import instant

_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "time": ("Date", "UsageDate", "UsageDateTime"),
    "period_start": ("BillingPeriodStartDate",),
    "period_end": ("BillingPeriodEndDate",),
    "category": ("ChargeType",),
    "billing_account": ("BillingAccountId", "EnrollmentNumber"),
    "account": ("SubscriptionId", "SubscriptionGuid"),
    "service": ("MeterCategory", "ConsumedService", "ServiceFamily"),
    "region": ("ResourceLocation", "ResourceLocationNormalized", "MeterRegion"),
    "resource": ("ResourceId", "InstanceId"),
    "sku": ("MeterId",),
    "description": ("ProductName", "Product", "MeterName"),
    "tags": ("Tags",),
    "currency": ("BillingCurrencyCode", "BillingCurrency", "Currency"),
    "billed": ("CostInBillingCurrency", "PreTaxCost", "ExtendedCost", "Cost"),
    "quantity": ("Quantity", "UsageQuantity", "ConsumedQuantity"),
    "unit": ("UnitOfMeasure",),
}
_CATEGORIES: Final = {
    "Usage": ChargeCategory.USAGE,
    "UnusedReservation": ChargeCategory.USAGE,
    "UnusedSavingsPlan": ChargeCategory.USAGE,
    "Purchase": ChargeCategory.PURCHASE,
    "Refund": ChargeCategory.CREDIT,
    "Credit": ChargeCategory.CREDIT,
    "Tax": ChargeCategory.TAX,
    "RoundingAdjustment": ChargeCategory.ADJUSTMENT,
    "Adjustment": ChargeCategory.ADJUSTMENT,
}


def read_azure(table: Table) -> Reading | None:
    """Recognise an Azure export by its meter and its cost; None if it has not both."""
    cost = table.find(*_COLUMNS["billed"])
    if cost is None or table.find("MeterId", "MeterCategory") is None:
        return None
    fields, origins = pick(table, _COLUMNS)
    if "category" in fields:
        fields["category"] = words(fields["category"], _CATEGORIES)
    if "period_end" in fields:
        fields["period_end"] = _day_after(fields["period_end"])
    fields["provider"] = constant("Microsoft")
    return Reading(
        format=BillFormat.AZURE,
        fields=fields,
        origins={field: aliases[0] for field, aliases in _COLUMNS.items()} | origins,
        is_float=cost in table.float_columns,
    )


def _day_after(text: str) -> str:
    """Azure names a period's last day; a first of a month is already the day after."""
    day = f"({instant(text)})::date"
    return f"coalesce(case when day({day}) = 1 then {day} else {day} + 1 end::varchar, {text})"
