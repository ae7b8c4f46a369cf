"""Write the example bill: 120 days of FOCUS 1.2, as an invented company's cloud export would deliver them.

Run ``python examples/make_bill.py [FOLDER]``; without a folder it rewrites ``examples/bill``. The same seed gives the
same rows everywhere: amounts come from additions, multiplications and ``Decimal`` alone. What happens in the bill, and
when, stands in ``TABLE`` and ``EVENTS``.
"""

import csv
import gzip
import io
import json
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

SEED = 20261028
FIRST_DAY = date(2026, 7, 1)
LAST_DAY = date(2026, 10, 28)
EXPORT = "halden-focus"
PAYER = ("999900001111", "Halden Robotics")
ACCOUNTS = {"prod": "111122223333", "data": "222233334444", "research": "333344445555", "sandbox": "444455556666"}
REGIONS = {"eu-central-1": "Europe (Frankfurt)", "us-east-1": "US East (N. Virginia)", "ap-southeast-1": "Singapore"}
NEGOTIATED = Decimal("0.94")
COMMITTED = Decimal("0.71")
TAX_RATE = Decimal("0.19")
WEEKEND = (6, 7)
RUNAWAY = {date(2026, 10, 16): 27.0, date(2026, 10, 17): 77.0, date(2026, 10, 18): 77.0}
COLUMN_WORDS = (  # FOCUS 1.2, every column, in the order of the alphabet
    "AvailabilityZone BilledCost BillingAccountId BillingAccountName BillingAccountType BillingCurrency "
    "BillingPeriodEnd BillingPeriodStart CapacityReservationId CapacityReservationStatus ChargeCategory ChargeClass "
    "ChargeDescription ChargeFrequency ChargePeriodEnd ChargePeriodStart CommitmentDiscountCategory "
    "CommitmentDiscountId CommitmentDiscountName CommitmentDiscountQuantity CommitmentDiscountStatus "
    "CommitmentDiscountType CommitmentDiscountUnit ConsumedQuantity ConsumedUnit ContractedCost ContractedUnitPrice "
    "EffectiveCost InvoiceId InvoiceIssuerName ListCost ListUnitPrice PricingCategory PricingCurrency "
    "PricingCurrencyContractedUnitPrice PricingCurrencyEffectiveCost PricingCurrencyListUnitPrice PricingQuantity "
    "PricingUnit ProviderName PublisherName RegionId RegionName ResourceId ResourceName ResourceType ServiceCategory "
    "ServiceName ServiceSubcategory SkuId SkuMeter SkuPriceDetails SkuPriceId SubAccountId SubAccountName "
    "SubAccountType Tags"
)
COLUMNS = COLUMN_WORDS.split()
Row = dict[str, str]


SERVICES = {  # name, FOCUS category, unit
    "ec2": ("Amazon Elastic Compute Cloud", "Compute", "Hours"),
    "eks": ("Amazon Elastic Kubernetes Service", "Compute", "Hours"),
    "rds": ("Amazon Relational Database Service", "Databases", "Hours"),
    "s3": ("Amazon Simple Storage Service", "Storage", "GB-Months"),
    "cdn": ("Amazon CloudFront", "Networking", "GB"),
    "lambda": ("AWS Lambda", "Compute", "GB-Seconds"),
    "elb": ("Elastic Load Balancing", "Networking", "LCU-Hours"),
    "gpu": ("Amazon SageMaker", "AI and Machine Learning", "GPU-Hours"),
    "search": ("Amazon OpenSearch Service", "Analytics", "Hours"),
    "redshift": ("Amazon Redshift", "Analytics", "RPU-Hours"),
    "kafka": ("Amazon Managed Streaming for Apache Kafka", "Integration", "Hours"),
    "models": ("Amazon Bedrock", "AI and Machine Learning", "1K Tokens"),
    "kendra": ("Amazon Kendra", "AI and Machine Learning", "Hours"),
}
# Price: list USD per unit. Daily: list USD of a working day. Weekend: the share of it on Saturday and Sunday.
# Noise: a day's standard deviation as a share. Plan: covered by the savings plan.
TABLE = """
service  account    region         team     resource          price        daily weekend noise plan
ec2      prod       eu-central-1   platform i-api-fleet       0.1920       212   0.72    0.04  yes
ec2      prod       us-east-1      platform i-api-fleet-us    0.1664       148   0.75    0.04  -
ec2      prod       ap-southeast-1 platform i-api-fleet-ap    0.2080       64    0.81    0.04  -
ec2      data       eu-central-1   data     i-etl             0.3840       96    0.40    0.06  -
ec2      sandbox    us-east-1      -        i-experiments     0.0832       17    0.15    0.15  -
eks      prod       eu-central-1   platform eks-main          0.10         7.2   1       0     -
eks      prod       us-east-1      platform eks-us            0.10         7.2   1       0     -
rds      prod       eu-central-1   web      db-orders         0.5320       118   0.98    0.02  -
rds      prod       us-east-1      web      db-orders-us      0.4780       74    0.98    0.02  -
s3       data       eu-central-1   data     lake-raw          0.0245       61    1       0.015 -
s3       prod       eu-central-1   web      media             0.0245       33    1       0.015 -
cdn      prod       eu-central-1   web      cdn-shop          0.085        58    1.35    0.07  -
cdn      prod       ap-southeast-1 web      cdn-shop-ap       0.12         21    1.28    0.08  -
lambda   prod       eu-central-1   web      fn-checkout       0.0000166667 19    0.85    0.08  -
lambda   data       us-east-1      data     fn-ingest         0.0000166667 8.5   0.9     0.1   -
elb      prod       eu-central-1   platform alb-edge          0.008        14    0.8     0.05  -
gpu      research   us-east-1      research ml-training       5.6720       68    0.35    0.12  -
search   prod       eu-central-1   web      search-catalogue  0.3340       47    1       0.03  -
redshift data       eu-central-1   data     warehouse         0.4510       126   0.55    0.06  -
kafka    data       eu-central-1   data     events            0.2520       39    0.95    0.03  -
models   prod       us-east-1      web      assistant-haiku   0.00125      6.4   0.6     0.14  -
models   research   us-east-1      research agents-sonnet     0.0150       11.5  0.3     0.18  -
kendra   sandbox    ap-southeast-1 -        kendra-trial      1.40         33.6  1       0     -
"""
HEADER, *LINES = (line.split() for line in TABLE.strip().splitlines())


def is_month_end(day: date) -> bool:
    """Tell whether a day is one of its month's last two."""
    return (day + timedelta(days=2)).month != day.month


def growth(day: date, start: date, daily: float) -> float:
    """Compound a daily growth since a day, by multiplication, which rounds alike on every machine."""
    factor = 1.0
    for _ in range((day - start).days):
        factor *= 1.0 + daily
    return factor


# What changes a resource's usage: a factor for each day, None for no row at all.
EVENTS: dict[str, Callable[[date], float | None]] = {
    # A training job is left running over a weekend on far too many GPUs.
    "ml-training": lambda day: RUNAWAY.get(day, 1.0),
    # The search cluster is resized for a campaign and never sized back.
    "search-catalogue": lambda day: 1.9 if day >= date(2026, 9, 14) else 1.0,
    # Nobody deletes old raw data any more: a little more every day.
    "lake-raw": lambda day: growth(day, date(2026, 8, 17), 0.012),
    # A broken producer: the stream stands still and bills nothing.
    "events": lambda day: None if day >= date(2026, 10, 20) else 1.0,
    # Somebody tries out a service that the company never used before.
    "kendra-trial": lambda day: 1.0 if day >= date(2026, 10, 8) else None,
    # The books are closed on the last two days of each month, as ever.
    "warehouse": lambda day: 2.4 if is_month_end(day) else 1.0,
    "i-etl": lambda day: 1.8 if is_month_end(day) else 1.0,
    # Business grows slowly.
    "i-api-fleet": lambda day: growth(day, FIRST_DAY, 0.0006),
    "cdn-shop": lambda day: growth(day, FIRST_DAY, 0.0008),
}


def bell(source: random.Random) -> float:
    """Draw from a bell of deviation one: twelve uniform draws, so no library's logarithm is involved."""
    return sum(source.random() for _ in range(12)) - 6.0


def month_start(day: date) -> date:
    """Return the first day of a day's month."""
    return day.replace(day=1)


def next_month(day: date) -> date:
    """Return the first day of the month after a day's."""
    return (month_start(day) + timedelta(days=31)).replace(day=1)


def instant(day: date) -> str:
    """Write a day's first instant."""
    return f"{day.isoformat()}T00:00:00Z"


def plain(amount: Decimal) -> str:
    """Write a decimal without exponent and without needless zeros."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def charge(day: date, until: date, category: str, account: str, **values: str) -> Row:
    """Fill the columns that every charge has."""
    period = month_start(day)
    return {
        "BillingAccountId": PAYER[0],
        "BillingAccountName": PAYER[1],
        "BillingAccountType": "Payer",
        "BillingCurrency": "USD",
        "BillingPeriodStart": instant(period),
        "BillingPeriodEnd": instant(next_month(day)),
        "ChargeCategory": category,
        "ChargePeriodStart": instant(day),
        "ChargePeriodEnd": instant(until),
        "InvoiceId": f"HR-{period:%Y%m}",
        "InvoiceIssuerName": "Amazon Web Services, Inc.",
        "PricingCurrency": "USD",
        "ProviderName": "AWS",
        "PublisherName": "Amazon Web Services, Inc.",
        "SubAccountId": ACCOUNTS[account],
        "SubAccountName": f"halden-{account}",
        "SubAccountType": "Account",
    } | values


def usage_row(line: Row, day: date, quantity: Decimal) -> Row:
    """Price one resource's day."""
    service, category, unit = SERVICES[line["service"]]
    account, region, resource, team = line["account"], line["region"], line["resource"], line["team"]
    price, planned = Decimal(line["price"]), line["plan"] == "yes"
    contracted = quantity * price * NEGOTIATED
    effective = contracted * COMMITTED if planned else contracted
    tags = json.dumps({"environment": "production", "team": team}) if team != "-" else ""
    row = charge(day, day + timedelta(days=1), "Usage", account) | {
        "BilledCost": "0" if planned else plain(effective),
        "ChargeDescription": f"${plain(price)} per {unit} of {service} in {REGIONS[region]}",
        "ChargeFrequency": "Usage-Based",
        "ConsumedQuantity": plain(quantity),
        "ConsumedUnit": unit,
        "ContractedCost": plain(contracted),
        "ContractedUnitPrice": plain(price * NEGOTIATED),
        "EffectiveCost": plain(effective),
        "ListCost": plain(quantity * price),
        "ListUnitPrice": plain(price),
        "PricingCategory": "Committed" if planned else "Standard",
        "PricingQuantity": plain(quantity),
        "PricingUnit": unit,
        "RegionId": region,
        "RegionName": REGIONS[region],
        "ResourceId": f"arn:aws:{line['service']}:{region}:{ACCOUNTS[account]}:{resource}",
        "ResourceName": resource,
        "ServiceCategory": category,
        "ServiceName": service,
        "SkuPriceId": f"HALDEN-{line['service'].upper()}.{region}",
        "Tags": tags,
    }
    return row | plan_columns("Used") if planned else row


def plan_columns(status: str = "") -> Row:
    """Fill the columns that name the company's one savings plan."""
    return {
        "CommitmentDiscountCategory": "Spend",
        "CommitmentDiscountId": f"arn:aws:savingsplans::{PAYER[0]}:savingsplan/4f1c",
        "CommitmentDiscountName": "Compute Savings Plan",
        "CommitmentDiscountStatus": status,
        "CommitmentDiscountType": "Compute Savings Plan",
    }


def costs(billed: Decimal, effective: Decimal) -> Row:
    """Fill the cost columns of a charge that is not metered."""
    same = plain(billed)
    return {"BilledCost": same, "ContractedCost": same, "ListCost": same, "EffectiveCost": plain(effective)}


def monthly_rows(period: date, usage: list[Row]) -> Iterator[Row]:
    """Add to a month's usage what an invoice also carries: the plan's fee, a credit, tax."""
    until = next_month(period)
    plan = {"ServiceName": "Savings Plans for AWS Compute usage", "ServiceCategory": "Compute"} | plan_columns()
    fee = charge(period, until, "Purchase", "prod", ChargeFrequency="Recurring", **plan)
    yield fee | costs(Decimal(4200), Decimal(0)) | {"ChargeDescription": "Savings Plan, recurring monthly fee"}
    credit = charge(period, until, "Credit", "research", ChargeFrequency="One-Time", ServiceName="Amazon SageMaker")
    amount = Decimal(-250)
    yield (
        credit
        | costs(amount, amount)
        | {
            "ChargeDescription": "Start-up programme credit",
            "ServiceCategory": "AI and Machine Learning",
        }
    )
    for account, number in ACCOUNTS.items():
        billed = sum((Decimal(row["BilledCost"]) for row in usage if row["SubAccountId"] == number), Decimal(0))
        tax = (billed * TAX_RATE).quantize(Decimal("0.01"))
        row = charge(period, until, "Tax", account, ChargeFrequency="Recurring", ServiceName="Tax")
        yield row | costs(tax, tax) | {"ChargeDescription": "VAT 19 %", "ServiceCategory": "Other"}


def day_factor(line: Row, day: date) -> float | None:
    """Return what a day's calendar and events make of a resource's usage; None where it bills no row."""
    change = EVENTS[line["resource"]](day) if line["resource"] in EVENTS else 1.0
    share = float(line["weekend"]) if day.isoweekday() in WEEKEND else 1.0
    return None if change is None else share * change


def usage_rows() -> Iterator[tuple[date, Row]]:
    """Bill every resource's every day."""
    source = random.Random(SEED)  # noqa: S311 — a bill, not a secret
    lines = [dict(zip(HEADER, line, strict=True)) for line in LINES]
    for offset in range((LAST_DAY - FIRST_DAY).days + 1):
        day = FIRST_DAY + timedelta(days=offset)
        for line in lines:
            wobble = 1.0 + float(line["noise"]) * bell(source)
            factor = day_factor(line, day)
            if factor is not None:
                wanted = Decimal(float(line["daily"]) * factor * wobble) / Decimal(line["price"])
                yield day, usage_row(line, day, wanted.quantize(Decimal("0.0001")))


def bill() -> dict[date, list[Row]]:
    """Return the rows of each billing period."""
    periods: dict[date, list[Row]] = {}
    for day, row in usage_rows():
        periods.setdefault(month_start(day), []).append(row)
    return {period: [*rows, *monthly_rows(period, rows)] for period, rows in periods.items()}


def write_bill(folder: Path) -> None:
    """Write the bill as an AWS data export lays it out: one part and one manifest per billing period."""
    shutil.rmtree(folder, ignore_errors=True)
    for period, rows in bill().items():
        name = f"BILLING_PERIOD={period:%Y-%m}"
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        part = folder / "data" / name / f"{EXPORT}-00001.csv.gz"
        part.parent.mkdir(parents=True)
        part.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))
        manifest = folder / "metadata" / name / f"{EXPORT}-Manifest.json"
        manifest.parent.mkdir(parents=True)
        location = f"s3://halden-billing/{EXPORT}/data/{name}/{part.name}"
        manifest.write_text(json.dumps({"exportName": EXPORT, "dataFiles": [location]}, indent=1) + "\n")


if __name__ == "__main__":
    write_bill(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("bill"))
