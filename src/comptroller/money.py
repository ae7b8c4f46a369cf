"""Amounts: exact decimals at the borders, integers of a unit's quantum inside.

A quantum is 10⁻⁹ of a currency unit, 10⁻⁶ for currencies of little value, 1 for counts. Conversions
and their roundings live here alone: spend rounds up, bills round half-even.
"""

import re
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Final, Self

from comptroller.errors import InvalidInputError

COUNT_UNITS: Final = frozenset({"tokens", "requests", "runs"})
# ISO 4217 currencies of which 1,000 buy about a euro cent to a euro: nine places would waste int64's range.
LOW_VALUE_CURRENCIES: Final = frozenset(
    {"BIF", "COP", "GNF", "IDR", "IQD", "IRR", "KHR", "KRW", "LAK", "LBP", "MGA", "MMK", "MNT", "NGN", "PYG"}
    | {"RWF", "SLE", "SLL", "SOS", "STN", "SYP", "TZS", "UGX", "UZS", "VES", "VND", "YER"}
)
# ISO 4217 active codes (list one of the standard, funds and metals left out).
_CODES: Final = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF "
    "CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD "
    "HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD "
    "LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK "
    "PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS "
    "TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG"
)
CURRENCIES: Final = frozenset(_CODES.split())
MAX_QUANTA: Final = 2**63 - 1
_ADJUSTED_MAX: Final = 30  # far above int64; keeps scaleb from building huge integers
_EXACT: Final = Context(prec=96)
_MONEY: Final = re.compile(r"\s*([+-]?[0-9]+(?:\.[0-9]+)?)\s+([A-Za-z]+)\s*\Z")


def canonical_unit(unit: str) -> str:
    """Return the unit as stored: ISO 4217 upper case, or ``tokens``, ``requests``, ``runs``.

    Raises:
        InvalidInputError: If the unit is none of these.
    """
    if unit in COUNT_UNITS or unit in CURRENCIES:
        return unit
    if unit.lower() in COUNT_UNITS:
        return unit.lower()
    if unit.upper() in CURRENCIES:
        return unit.upper()
    raise InvalidInputError(f"unknown unit {unit!r}: use an ISO 4217 currency such as USD, or tokens, requests, runs")


def quantum_exponent(unit: str) -> int:
    """Return the power of ten of the unit's quantum: -9, -6 or 0."""
    if unit in COUNT_UNITS:
        return 0
    return -6 if unit in LOW_VALUE_CURRENCIES else -9


def _finite(amount: object, unit: str) -> Decimal:
    if isinstance(amount, bool) or not isinstance(amount, Decimal | int):
        raise InvalidInputError(
            f"amount {amount!r} is {type(amount).__name__}: give a Decimal, an int or text like '0.12 {unit}'"
        )
    value = Decimal(amount)
    if not value.is_finite():
        raise InvalidInputError(f"amount {amount} {unit} is not a finite number")
    return value


def _to_quanta(amount: Decimal | int, unit: str, rounding: str) -> int:
    value = _finite(amount, unit)
    if value.adjusted() > _ADJUSTED_MAX:
        raise InvalidInputError(f"amount {amount} {unit} is out of range")
    scaled = value.scaleb(-quantum_exponent(unit), _EXACT)
    quanta = int(scaled.to_integral_value(rounding=rounding))
    if abs(quanta) > MAX_QUANTA:
        raise InvalidInputError(f"amount {amount} {unit} is out of range: at most {from_quanta(MAX_QUANTA, unit)}")
    return quanta


def spend_quanta(amount: Decimal | int, unit: str) -> int:
    """Return the amount in quanta, rounded up: spend is never under-counted."""
    return _to_quanta(amount, unit, ROUND_CEILING)


def bill_quanta(amount: Decimal | int, unit: str) -> int:
    """Return the amount in quanta, rounded half-even: a bill's sum stays unbiased."""
    return _to_quanta(amount, unit, ROUND_HALF_EVEN)


def from_quanta(quanta: int, unit: str) -> Decimal:
    """Return quanta as an exact decimal of the unit."""
    return Decimal(quanta).scaleb(quantum_exponent(unit), _EXACT)


def to_cents(quanta: int, unit: str) -> int:
    """Return quanta of a currency as hundredths of it, rounded half-even (the contract's unit)."""
    return int((from_quanta(quanta, unit) * 100).to_integral_value(rounding=ROUND_HALF_EVEN))


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount of a currency or a count.

    Args:
        amount: A finite Decimal or int; a float raises.
        unit: ISO 4217 code, or ``tokens``, ``requests``, ``runs``.

    Raises:
        InvalidInputError: If the amount is a float, not finite, or the unit is unknown.
    """

    amount: Decimal
    unit: str

    def __post_init__(self) -> None:
        unit = canonical_unit(self.unit)
        object.__setattr__(self, "unit", unit)
        object.__setattr__(self, "amount", _finite(self.amount, unit))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``"0.12 USD"`` or ``"500 tokens"``.

        Raises:
            InvalidInputError: If the text is not a plain decimal number, a space and a unit.
        """
        match = _MONEY.match(text)
        if match is None:
            raise InvalidInputError(f"amount {text!r} is not understood: write it like '0.12 USD'")
        try:
            return cls(Decimal(match[1]), match[2])
        except InvalidOperation as error:
            raise InvalidInputError(f"amount {text!r} is not understood: write it like '0.12 USD'") from error

    @classmethod
    def of_quanta(cls, quanta: int, unit: str) -> Self:
        """Return quanta as an amount without trailing zeros."""
        exact = from_quanta(quanta, unit)
        whole = exact.to_integral_value()
        return cls(whole if exact == whole else exact.normalize(_EXACT), unit)

    def __str__(self) -> str:
        """Return the amount as it is written at every border."""
        return f"{self.amount:f} {self.unit}"


def as_money(value: "Money | str") -> Money:
    """Return a Money from what a caller may give: Money or text like ``"0.12 USD"``.

    Raises:
        InvalidInputError: If it is neither (a float, a bare number).
    """
    if isinstance(value, Money):
        return value
    if isinstance(value, str):
        return Money.parse(value)
    raise InvalidInputError(f"amount {value!r} is {type(value).__name__}: give text like '0.12 USD' or Money")
