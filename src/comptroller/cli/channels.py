"""``comptroller channels``: add, list, test, retry, remove."""

from collections.abc import Iterable
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.table import Table

from comptroller.cli import output
from comptroller.cli.options import DEFAULT, Common
from comptroller.enums import Severity
from comptroller.errors import InvalidInputError
from comptroller.spine.orchestrator import notices

app = App(name="channels", help="Say where notices go.", help_format="plaintext")

_SUFFIXES = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@app.command
def add(
    name: str,
    target: str,
    *,
    severity: Severity = Severity.LOW,
    kind: Annotated[list[str] | None, Parameter(negative=())] = None,
    where: Annotated[list[str] | None, Parameter(negative=())] = None,
    only: str | None = None,
    quiet: str | None = None,
    timezone: str = "UTC",
    group: str = "0s",
    repeat: str = "0s",
    to_owner: bool = False,
    allow_private: bool = False,
    common: Common = DEFAULT,
) -> int:
    """Add a channel: a webhook, a mail server, or a chat or paging service by its Apprise URL.

    Example: comptroller channels add oncall pagerduty://KEY@API_KEY --severity HIGH --repeat 30m

    Args:
        name: What to call it.
        target: https://…, smtp://USER:PASSWORD@HOST/?from=A&to=B, slack://…, pagerduty://… and the like.
        severity: Nothing less grave than this.
        kind: Only these kinds: incident, limit, kill, or one such as limit.breached; may be repeated.
        where: Only this dimension value, such as team=research; may be repeated.
        only: Only at these times, such as "mon-fri 08:00-18:00".
        quiet: Silent at these times, such as 22:00-07:00; CRITICAL is told all the same.
        timezone: The IANA zone of these times.
        group: How long notices are gathered into one message, such as 30s.
        repeat: After how long an incident that nobody acknowledged is told again, such as 30m.
        to_owner: Send mail to the owner, where one is known by address.
        allow_private: Allow addresses of private networks, plain http, other ports, and services on your own host.
        common: Where, for whom, how.
    """
    from comptroller.worker.process import peppers_of  # noqa: PLC0415 — heavy

    with common.opened() as ct:
        made = notices.add_channel.run(
            ct.engine, ct.caller, peppers_of(ct.engine), name, target, severity=severity, kinds=kind or (),
            where=_pairs(where or ()), only=only, quiet=quiet, timezone=timezone, group_seconds=seconds_of(group),
            repeat_seconds=seconds_of(repeat), to_owner=to_owner, allows_private=allow_private,
        )  # fmt: skip
    if common.is_json:
        output.print_json(made)
        return 0
    console = output.console()
    console.print(f"{made.channel.name} tells {made.channel.target}")
    if made.secret is not None:
        console.print(f"its webhooks are signed with {made.secret} (shown once)", soft_wrap=True)
    console.print(f"try it: comptroller channels test {made.channel.name}", style="dim")
    return 0


@app.command(name="list")
def list_(*, common: Common = DEFAULT) -> int:
    """List channels, what waits for them, and what they could not deliver.

    Example: comptroller channels list

    Args:
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        found = notices.list_channels.run(ct.engine, ct.caller)
    if common.is_json:
        output.print_json(found)
        return 0
    if not found:
        output.console().print("No channels: nobody is told. comptroller channels add --help", style="dim")
        return 0
    table = Table("Channel", "To", "From severity", "Waiting", "Dead", "Last sent", box=None, show_edge=False)
    for one in found:
        sent = "never" if one.last_sent_at is None else f"{one.last_sent_at:%Y-%m-%d %H:%M}"
        table.add_row(one.name, one.target, one.rules.severity.value, str(one.waiting), str(one.dead), sent)
    output.console().print(table)
    return 0


@app.command(name="test")
def try_out(name: str, *, common: Common = DEFAULT) -> int:
    """Send a test message by a channel, at once.

    Example: comptroller channels test oncall

    Args:
        name: Which one.
        common: Where, for whom, how.
    """
    from comptroller import settings  # noqa: PLC0415 — only this verb needs it
    from comptroller.worker.process import peppers_of  # noqa: PLC0415 — heavy
    from comptroller.worker.sending.senders import send_one  # noqa: PLC0415 — heavy

    with common.opened() as ct:
        channel, destination = notices.open_channel.run(ct.engine, ct.caller, name, peppers_of(ct.engine))
        message = notices.probe_message(ct.caller, channel, settings.public_url())
    send_one(destination, message)
    say(common, {"sent": message.id}, f"{channel.name} took it (id {message.id})")
    return 0


@app.command
def retry(name: str, *, common: Common = DEFAULT) -> int:
    """Have what a channel could not deliver wait again.

    Example: comptroller channels retry oncall

    Args:
        name: Which one.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        count = notices.retry_channel.run(ct.engine, ct.caller, name)
    say(common, {"waiting": count}, f"{count} wait again")
    return 0


@app.command
def remove(name: str, *, common: Common = DEFAULT) -> int:
    """Remove a channel; what waits for it is dropped, its target is forgotten.

    Example: comptroller channels remove oncall

    Args:
        name: Which one.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        notices.remove_channel.run(ct.engine, ct.caller, name)
    say(common, {"removed": name}, f"{name} is removed")
    return 0


def say(common: Common, machine: dict[str, Any], line: str) -> None:
    """Answer for people or for machines."""
    if common.is_json:
        output.print_json(machine)
    else:
        output.console().print(line)


def _pairs(words: Iterable[str]) -> dict[str, list[str]]:
    pairs: dict[str, list[str]] = {}
    for word in words:
        name, separator, value = word.partition("=")
        if not separator or not name or not value:
            raise InvalidInputError(f"--where {word!r} must be NAME=VALUE")
        pairs.setdefault(name, []).append(value)
    return pairs


def seconds_of(text: str) -> int:
    """Return a duration as people write it: 30s, 10m, 2h, 7d."""
    unit = _SUFFIXES.get(text[-1:])
    number = text[:-1] if unit else text
    if not number.isdigit():
        raise InvalidInputError(f"duration {text!r} must be like 30s, 10m, 2h")
    return int(number) * (unit or 1)
