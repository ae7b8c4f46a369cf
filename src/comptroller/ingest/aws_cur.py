"""The legacy AWS Cost and Usage Report, with slashes (CSV) or underscores (Parquet, CUR 2.0) in its names.

Source: "Cost and Usage Report data dictionary" of AWS. Effective cost follows its amortised cost: covered usage counts
what its commitment cost, unused commitment counts where it is booked, upfront fees and negations count nothing.
"""

import re
from typing import Final

from comptroller.enums import BillFormat, ChargeCategory
from comptroller.ingest.reading import Reading, added, constant, pick, words
from comptroller.ingest.table import Table
from comptroller.ingest.values import literal

_COLUMNS: Final[dict[str, str]] = {
    "time": "lineItem/UsageStartDate",
    "end": "lineItem/UsageEndDate",
    "period_start": "bill/BillingPeriodStartDate",
    "period_end": "bill/BillingPeriodEndDate",
    "category": "lineItem/LineItemType",
    "billing_account": "bill/PayerAccountId",
    "account": "lineItem/UsageAccountId",
    "region": "product/region",
    "resource": "lineItem/ResourceId",
    "sku": "product/sku",
    "description": "lineItem/LineItemDescription",
    "currency": "lineItem/CurrencyCode",
    "billed": "lineItem/UnblendedCost",
    "list": "pricing/publicOnDemandCost",
    "quantity": "lineItem/UsageAmount",
    "unit": "pricing/unit",
}
_SERVICES: Final = ("product/ProductName", "lineItem/ProductCode")
_CATEGORIES: Final = {
    "Usage": ChargeCategory.USAGE,
    "DiscountedUsage": ChargeCategory.USAGE,
    "SavingsPlanCoveredUsage": ChargeCategory.USAGE,
    "Fee": ChargeCategory.PURCHASE,
    "RIFee": ChargeCategory.PURCHASE,
    "SavingsPlanUpfrontFee": ChargeCategory.PURCHASE,
    "SavingsPlanRecurringFee": ChargeCategory.PURCHASE,
    "Tax": ChargeCategory.TAX,
    "Credit": ChargeCategory.CREDIT,
    "Refund": ChargeCategory.CREDIT,
    "SavingsPlanNegation": ChargeCategory.ADJUSTMENT,
    "BundledDiscount": ChargeCategory.ADJUSTMENT,
    "EdpDiscount": ChargeCategory.ADJUSTMENT,
    "PrivateRateDiscount": ChargeCategory.ADJUSTMENT,
}


def _names(column: str) -> tuple[str, str]:
    """Return a name with a slash, and as Athena and CUR 2.0 write it: lineItem/UsageType, line_item_usage_type."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column).replace("/", "_").lower()
    return column, snake


def read_aws_cur(table: Table) -> Reading | None:
    """Recognise a legacy AWS report by its unblended cost; None if it has none."""
    if table.find(*_names("lineItem/UnblendedCost")) is None:
        return None
    fields, origins = pick(table, {field: _names(column) for field, column in _COLUMNS.items()})
    kind = fields.get("category")
    if kind is not None:
        fields["effective"] = _effective(table, kind, fields["billed"])
        fields["category"] = words(kind, _CATEGORIES)
    fields["provider"] = constant("AWS")
    services = [table.text(name) for name in (table.find(*_names(column)) for column in _SERVICES) if name]
    if services:
        fields["service"] = f"coalesce({', '.join(services)})"
    tags = _tags(table)
    if tags is not None:
        fields["tags"] = tags
    return Reading(
        format=BillFormat.AWS_CUR,
        fields=fields,
        origins=_COLUMNS | origins,
        is_float=origins["billed"] in table.float_columns,
    )


def _effective(table: Table, kind: str, billed: str) -> str:
    def column(name: str) -> str:
        found = table.find(*_names(name))
        return "null::varchar" if found is None else table.text(found)

    amounts = {
        "DiscountedUsage": column("reservation/EffectiveCost"),
        "SavingsPlanCoveredUsage": column("savingsPlan/SavingsPlanEffectiveCost"),
        "RIFee": added(
            column("reservation/UnusedAmortizedUpfrontFeeForBillingPeriod"), column("reservation/UnusedRecurringFee")
        ),
        "SavingsPlanRecurringFee": added(
            column("savingsPlan/TotalCommitmentToDate"), f"('-' || {column('savingsPlan/UsedCommitment')})"
        ),
        "SavingsPlanNegation": "'0'",
        "SavingsPlanUpfrontFee": "'0'",
    }
    branches = " ".join(f"when {literal(word)} then {amount}" for word, amount in amounts.items())
    return f"coalesce(case {kind} {branches} end, {billed})"


def _tags(table: Table) -> str | None:
    prefixes = ("resourceTags/", "resource_tags_")
    tagged = [name for name in table.names if name.startswith(prefixes)]
    if not tagged:
        whole = table.find("resource_tags")
        return None if whole is None else table.text(whole)
    entries = ", ".join(
        f"{{'key': {literal(re.sub('^resource(Tags/|_tags_)(user[:_])?', '', name))}, 'value': {table.text(name)}}}"
        for name in tagged
    )
    return (
        f"nullif(to_json(map_from_entries(list_filter([{entries}], lambda x: x.value is not null)))::varchar, '{{}}')"
    )
