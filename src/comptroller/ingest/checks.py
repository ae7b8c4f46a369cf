"""What makes a row bad: one table of conditions, in SQL, in the order in which they are reported."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from comptroller.enums import ChargeCategory
from comptroller.ingest.values import is_code, literal
from comptroller.money import CURRENCIES

# Cloud billing is younger; a date before is another calendar's year or a misread format.
FIRST_DAY: Final = date(2000, 1, 1)
# Commitments are billed up to three years ahead, agreements up to five.
MAX_YEARS_AHEAD: Final = 6
LAST_COUNTED_YEAR: Final = 2200
# What becomes a series' name must fit a database's index.
MAX_TEXT: Final = 512
_NAMES: Final = (
    ("provider", "provider"),
    ("billing_account", "billing_account"),
    ("account", "account"),
    ("service", "service"),
    ("region", "region"),
    ("model", "model"),
    ("user", "user_id"),
    ("team", "team"),
)
_CATEGORIES: Final = ", ".join(literal(word) for word in ChargeCategory)


@dataclass(frozen=True, slots=True)
class Check:
    """A condition under which a row is bad, over the raw fields (``raw_…``) and the typed columns."""

    field: str
    condition: str
    reason: str


def _cost_checks(field: str) -> list[Check]:
    raw, text, quanta = f"raw_{field}", f"{field}_cost", f"{field}_quanta"
    return [
        Check(
            field, f"{raw} is not null and given_{field} is null", "no exact decimal of at most 20 digits and 18 places"
        ),
        Check(field, f"{text} is not null and {quanta} is null", "out of range"),
    ]


def checks(today: date, *, is_counted: bool = False) -> list[Check]:
    """Return all conditions, always the same ones in the same order; a row is reported for the first that holds.

    Args:
        today: Bounds what date is plausible.
        is_counted: Days are counted from a fixed one, so that any later date may come out.
    """
    year = LAST_COUNTED_YEAR if is_counted else today.year + MAX_YEARS_AHEAD
    last = literal(date(year, today.month, 1).isoformat())
    far = f"not between {literal(FIRST_DAY.isoformat())} and {last}"
    return [
        Check("time", "raw_time is null", "missing"),
        Check("time", "charge_start is null", "no date: write it like 2025-04-01 or 2025-04-01T13:00:00Z"),
        Check("time", f"charge_start {far}", "not a plausible date of a charge"),
        Check("end", "raw_end is not null and given_end is null", "no date: write it like 2025-04-01T13:00:00Z"),
        Check("end", "given_end < charge_start", "ends before it starts"),
        Check("end", f"given_end {far}", "not a plausible date of a charge"),
        Check("period_start", "raw_period_start is not null and given_period_start is null", "no date"),
        Check("period_end", "raw_period_end is not null and given_period_end is null", "no date"),
        Check("period_end", "period_end <= period_start", "the billing period ends before it starts"),
        Check(
            "model",
            "billed_cost is null and raw_billed is null and price_row_version is null and model is null "
            "and (input_tokens is not null or output_tokens is not null)",
            "missing: the row names no model",
        ),
        Check(
            "input_tokens",
            "cache_read_tokens + cache_write_tokens > coalesce(input_tokens, 0)",
            "less than the cached tokens, which are part of it",
        ),
        Check(
            "model",
            "billed_cost is null and raw_billed is null and price_row_version is not null",
            "the model has no price for one kind of these tokens",
        ),
        Check("billed", "billed_cost is null and raw_billed is null", "missing: the row has no cost"),
        *_cost_checks("billed"),
        *_cost_checks("effective"),
        *_cost_checks("list"),
        *_cost_checks("contracted"),
        Check("quantity", "raw_quantity is not null and consumed_quantity is null", "no exact decimal"),
        Check("category", f"charge_category not in ({_CATEGORIES})", "not one of FOCUS's charge categories"),
        Check("class", "charge_class <> 'Correction'", "not one of FOCUS's charge classes"),
        Check("currency", "currency is null", "missing: an amount without currency"),
        Check("currency", f"not {is_code('currency', CURRENCIES)}", "not an ISO 4217 currency"),
        Check("input_tokens", "raw_input_tokens is not null and input_tokens is null", "no count of tokens"),
        Check("output_tokens", "raw_output_tokens is not null and output_tokens is null", "no count of tokens"),
        *[
            Check(field, f"length({column}) > {MAX_TEXT}", f"longer than {MAX_TEXT} characters")
            for field, column in _NAMES
        ],
        # Judged per distinct text, so never here.
        Check("tags", "false", "no JSON object of tags with each key once"),
    ]
