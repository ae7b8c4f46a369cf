"""What makes a row bad: one table of conditions, in SQL, in the order in which they are reported."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from comptroller.enums import ChargeCategory
from comptroller.ingest.values import literal
from comptroller.money import CURRENCIES

# Cloud billing is younger; a date before is another calendar's year or a misread format.
FIRST_DAY: Final = date(2000, 1, 1)
# Commitments are billed up to three years ahead, agreements up to five.
MAX_YEARS_AHEAD: Final = 6
MAX_TEXT: Final = 4_000
_CATEGORIES: Final = ", ".join(literal(word) for word in ChargeCategory)
_CURRENCIES: Final = ", ".join(literal(code) for code in sorted(CURRENCIES))


@dataclass(frozen=True, slots=True)
class Check:
    """A condition under which a row is bad, over the raw fields (``raw_…``) and the typed columns."""

    field: str
    condition: str
    reason: str


def _cost_checks(field: str) -> list[Check]:
    raw, text, quanta = f"raw_{field}", f"{field}_cost", f"{field}_quanta"
    return [
        Check(field, f"{raw} is not null and {text} is null", "no exact decimal of at most 20 digits and 18 places"),
        Check(field, f"{text} is not null and {quanta} is null", "out of range"),
    ]


def checks(today: date) -> list[Check]:
    """Return all conditions; the first that holds is the one a row is reported for."""
    last = literal(today.replace(day=1, year=today.year + MAX_YEARS_AHEAD).isoformat())
    far = f"not between {literal(FIRST_DAY.isoformat())} and {last}"
    return [
        Check("time", "raw_time is null", "missing"),
        Check("time", "charge_start is null", "no date: write it like 2025-04-01 or 2025-04-01T13:00:00Z"),
        Check("time", f"charge_start {far}", "not a plausible date of a charge"),
        Check("end", "raw_end is not null and given_end is null", "no date: write it like 2025-04-01T13:00:00Z"),
        Check("end", "charge_end < charge_start", "ends before it starts"),
        Check("end", f"charge_end {far}", "not a plausible date of a charge"),
        Check("period_start", "raw_period_start is not null and period_start is null", "no date"),
        Check("period_end", "raw_period_end is not null and period_end is null", "no date"),
        Check("period_end", "period_end <= period_start", "the billing period ends before it starts"),
        Check("billed", "billed_cost is null and raw_billed is null", "missing: the row has no cost"),
        *_cost_checks("billed"),
        *_cost_checks("effective"),
        *_cost_checks("list"),
        *_cost_checks("contracted"),
        Check("quantity", "raw_quantity is not null and consumed_quantity is null", "no exact decimal"),
        Check("category", f"charge_category not in ({_CATEGORIES})", "not one of FOCUS's charge categories"),
        Check("class", "charge_class <> 'Correction'", "not one of FOCUS's charge classes"),
        Check("currency", "currency is null", "missing: an amount without currency"),
        Check("currency", f"currency not in ({_CURRENCIES})", "not an ISO 4217 currency"),
        Check("input_tokens", "raw_input_tokens is not null and input_tokens is null", "no count of tokens"),
        Check("output_tokens", "raw_output_tokens is not null and output_tokens is null", "no count of tokens"),
        Check("tags", "tags is not null and not json_valid(tags)", "no JSON object of tags"),
    ]
