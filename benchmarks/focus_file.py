"""A large FOCUS 1.0 file of an AWS export's shape, from a seed: hourly usage, daily purchases, tags, credits."""

from pathlib import Path

import duckdb

_SERVICES = (
    "Amazon Elastic Compute Cloud", "Amazon Simple Storage Service", "Amazon Relational Database Service",
    "AWS Lambda", "Amazon CloudWatch", "Amazon Virtual Private Cloud", "Amazon DynamoDB", "AWS Key Management Service",
    "Amazon Simple Queue Service", "Amazon Elastic Load Balancing", "Amazon Bedrock", "AWS Glue", "Amazon Kinesis",
    "Amazon Athena", "Amazon Route 53", "AWS Data Transfer",
)  # fmt: skip


def write_focus(path: Path, rows: int, *, seed: int = 20261124) -> None:
    """Write a month of one billing account with 44 columns."""
    services = ", ".join(f"'{name}'" for name in _SERVICES)
    connection = duckdb.connect(config={"threads": 2, "memory_limit": "1GB"})
    connection.execute(
        f"""create temp view drawn as select i, h, g, ([{services}])[1 + h % {len(_SERVICES)}] as service,
            timestamp '2026-09-01' + interval 1 hour * ((i * 720) // {rows})::int as began
            from (select i, (hash(i + {seed}) >> 2)::bigint as h, (hash(i * 7919 + {seed}) >> 2)::bigint as g
            from range({rows}) as t(i))"""
    )
    connection.execute(f"copy ({_SELECT}) to '{path}' (format csv, header true, quote '\"', force_quote *)")


_SELECT = """
select case when g % 3 = 0 then 'us-east-1a' else 'NULL' end as AvailabilityZone,
  case when h % 200 = 0 then '-' else '' end || format('{:.10f}', (h % 100000) / 1e5) as BilledCost,
  '123456789012' as BillingAccountId, 'Example Corporation' as BillingAccountName, 'USD' as BillingCurrency,
  '2026-10-01 00:00:00' as BillingPeriodEnd, '2026-09-01 00:00:00' as BillingPeriodStart,
  case when h % 200 = 0 then 'Credit' else 'Usage' end as ChargeCategory, 'NULL' as ChargeClass,
  '$0.0' || (h % 97) || ' per unit of ' || service || ' in region ' || (g % 12) as ChargeDescription,
  'Usage-Based' as ChargeFrequency, strftime(began + interval 1 hour, '%Y-%m-%d %H:%M:%S') as ChargePeriodEnd,
  strftime(began, '%Y-%m-%d %H:%M:%S') as ChargePeriodStart, 'NULL' as CommitmentDiscountCategory,
  'NULL' as CommitmentDiscountId, 'NULL' as CommitmentDiscountName, 'NULL' as CommitmentDiscountStatus,
  'NULL' as CommitmentDiscountType, format('{:.10f}', (g % 10000000) / 1e4) as ConsumedQuantity,
  'Requests' as ConsumedUnit, format('{:.10f}', (h % 100000) / 1e5) as ContractedCost,
  format('{:.10f}', (h % 1000) / 1e6) as ContractedUnitPrice,
  case when h % 200 = 0 then '-' else '' end || format('{:.10f}', (h % 100000) / 1e5) as EffectiveCost,
  'Amazon Web Services, Inc.' as InvoiceIssuerName, format('{:.10f}', (h % 100000) / 9e4) as ListCost,
  format('{:.10f}', (h % 1000) / 9e5) as ListUnitPrice, 'Standard' as PricingCategory,
  format('{:.10f}', (g % 10000000) / 1e4) as PricingQuantity, 'Requests' as PricingUnit, 'AWS' as ProviderName,
  'Amazon Web Services, Inc.' as PublisherName, 'region-' || (g % 12) as RegionId, 'Region ' || (g % 12) as RegionName,
  'arn:aws:thing:region-' || (g % 12) || ':' || (h % 40) || ':resource-' || (g % 20000) as ResourceId,
  'NULL' as ResourceName, 'NULL' as ResourceType, 'Compute' as ServiceCategory, i::varchar as Id,
  service as ServiceName, 'SKU' || (h % 900) as SkuId, 'SKU' || (h % 900) || '.JRTCKXETXF' as SkuPriceId,
  '2000000000' || (h % 40) as SubAccountId, 'account ' || (h % 40) as SubAccountName,
  case when g % 4 = 0 then 'NULL'
    else '{"team": "team-' || (h % 25) || '", "env": "' || ['prod', 'dev', 'test'][1 + g % 3] || '"}' end as Tags
from drawn order by i
"""
