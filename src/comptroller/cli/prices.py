"""``comptroller prices``: list, set, update."""

from datetime import date
from decimal import Decimal
from typing import Annotated

from cyclopts import App, Parameter
from rich.table import Table

from comptroller.cli import output
from comptroller.cli.convert import decimal_of
from comptroller.cli.options import DEFAULT, Common

_HELP = "List, set, update what models' tokens cost.\n\nExample: comptroller prices list gpt-4o"
app = App(name="prices", help=_HELP, help_format="plaintext")
Amount = Annotated[Decimal, Parameter(converter=decimal_of)]
OptionalAmount = Annotated[Decimal | None, Parameter(converter=decimal_of)]
_SHOWN = 50


@app.command(name="list")
def list_(search: str | None = None, *, common: Common = DEFAULT) -> int:
    """List prices per million tokens, this tenant's own first.

    Example: comptroller prices list gpt-4o

    Args:
        search: A part of the model's or provider's name.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        found = ct.prices.list(search=search)
    if common.is_json:
        output.print_json(found)
        return 0
    table = Table(box=None, padding=(0, 1), show_edge=False, header_style="bold")
    for name in ("Model", "Provider", "Input", "Output", "Cached input", "From", "Version"):
        table.add_column(name, justify="right" if name in {"Input", "Output", "Cached input"} else "left")
    for one in found[:_SHOWN]:
        amounts = (one.input_per_million, one.output_per_million, one.cache_read_per_million)
        shown = ["-" if amount is None else f"{amount:f} {one.currency}" for amount in amounts]
        table.add_row(one.model, one.provider, *shown, str(one.valid_from or "always"), one.version)
    console = output.console()
    console.print(table)
    if len(found) > _SHOWN:
        console.print(f"{len(found) - _SHOWN} more; name a part of the model", style="dim")
    return 0


@app.command(name="set")
def set_(
    model: str,
    *,
    input: Amount,  # noqa: A002 — the option's word
    output_price: Annotated[Decimal, Parameter(name="--output", converter=decimal_of)],
    cached: OptionalAmount = None,
    provider: str = "*",
    currency: str = "USD",
    valid_from: date | None = None,
    reason: str = "",
    common: Common = DEFAULT,
) -> int:
    """Set what a model's tokens cost you, per million: a contract's discount, a self-hosted model.

    Example: comptroller prices set my-llama --input 0.20 --output 0.60

    Args:
        model: The model's name as usage writes it.
        input: Price of a million input tokens.
        output_price: Price of a million output tokens.
        cached: Price of a million cached input tokens; as input unless given.
        provider: Who sells it; any unless given.
        currency: ISO 4217.
        valid_from: First day on which it holds; all days unless given.
        reason: Why.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        one = ct.prices.set(
            model, input_per_million=input, output_per_million=output_price, cache_read_per_million=cached,
            provider=provider, currency=currency, valid_from=valid_from, reason=reason,
        )  # fmt: skip
    if common.is_json:
        output.print_json(one)
    else:
        output.console().print(
            f"{one.model}: {one.input_per_million} / {one.output_per_million} {one.currency}, {one.version}"
        )
    return 0


@app.command
def update(*, common: Common = DEFAULT) -> int:
    """Load the catalogue that is installed (genai-prices); needs no network.

    Example: comptroller prices update

    Args:
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        done = ct.prices.update()
    if common.is_json:
        output.print_json(done)
    else:
        state = "loaded" if done.is_new else "is on record already"
        output.console().print(f"{done.version} {state}: {done.prices:,} prices")
    return 0
