"""The verbs; each is loaded when it is called, so that help answers at once."""

import sys
from typing import TYPE_CHECKING, Final

from comptroller.errors import ComptrollerError, GovernanceError

if TYPE_CHECKING:
    from cyclopts import App

COULD_NOT: Final = 2
_INTERRUPTED: Final = 130
_ASKS_FOR_HELP: Final[tuple[list[str], ...]] = ([], ["--help"], ["-h"], ["help"])
_PURPOSE: Final = "Mandatory spend governance for AI agents and cloud bills."
# Verb, where it lives, what it does.
VERBS: Final = (
    ("scan", "scan:scan", "Take cost files in, find what is abnormal, open incidents."),
    ("backtest", "backtest:backtest", "Replay the past: which incidents would have been opened, and when."),
    ("incidents", "incidents:app", "List, show, acknowledge, resolve incidents."),
    ("anomalies", "anomalies:app", "List anomalies, say what they were, plan, mute."),
    ("limits", "limits:app", "Create, list, explain, update, override, archive limits; apply a file of them."),
    ("explain", "explain:explain", "Show which limits apply to a subject, where they stand, and why."),
    ("top", "top:top", "Show who spends what per hour now, held, left, refusals."),
    ("runs", "runs:app", "List, show, halt runs."),
    ("kill", "kill:kill", "Shut a scope; prints what it stops and the line that undoes it."),
    ("lift", "kill:lift", "Open a scope again."),
    ("prices", "prices:app", "List, set, update what models' tokens cost."),
    ("owners", "owners:app", "Say which team and person owns what."),
    ("serve", "serve:serve", "Serve the API over HTTP."),
    ("keys", "keys:app", "Create, list, revoke API keys."),
    ("tenants", "tenants:app", "Create, list, disable tenants."),
    ("channels", "channels:app", "Say where notices go; try them."),
    ("sources", "sources:app", "Say from where cost files are pulled."),
    ("demo", "demo:demo", "See a believable month in the dashboard, with agents that keep spending."),
    ("worker", "worker:worker", "Do the work in the background: sweeps, detection, pulls, delivery."),
    ("doctor", "doctor:doctor", "Look for what keeps limits from being kept."),
    ("db", "db:app", "Make or check the database's schema."),
)
_OVERVIEW: Final = """Usage: comptroller COMMAND [OPTIONS]

{purpose}

Commands:
{verbs}

Every command has --database, --tenant, --format table|json, and --help with an example.
The database is ./comptroller.db (or COMPTROLLER_DATABASE); it is made at first use.

Example: comptroller scan bill.csv
Exit status: 0 done, 1 found what you asked to fail on, 2 could not do it."""


def overview() -> str:
    """Return the command's own help, made without the libraries that the verbs need."""
    width = max(len(name) for name, _, _ in VERBS)
    verbs = "\n".join(f"  {name:<{width}}  {text}" for name, _, text in VERBS)
    return _OVERVIEW.format(purpose=_PURPOSE, verbs=verbs)


def make_app() -> "App":
    """Return the command with all its verbs."""
    from cyclopts import App  # noqa: PLC0415 — heavy

    from comptroller import __version__  # noqa: PLC0415 — reads the installed metadata

    app = App(
        name="comptroller",
        help=_PURPOSE,
        version=__version__,
        help_format="plaintext",
        result_action="return_value",
    )
    for name, place, _ in VERBS:
        app.command(f"comptroller.cli.{place}", name=name)
    return app


def run(tokens: list[str]) -> int:
    """Run one command line and return its exit status."""
    if tokens in _ASKS_FOR_HELP:
        print(overview())  # noqa: T201 — the command's own words
        return 0
    from cyclopts import CycloptsError  # noqa: PLC0415 — heavy

    try:
        result = make_app()(tokens, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        return _fail(str(error))
    except (ComptrollerError, GovernanceError) as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        print("interrupted; what was not committed is not stored", file=sys.stderr)  # noqa: T201 — the command's own words
        return _INTERRUPTED
    return result if isinstance(result, int) else 0


def _fail(message: str) -> int:
    line = " ".join(message.split())
    print(f"comptroller: {line}", file=sys.stderr)  # noqa: T201 — the command's own words
    return COULD_NOT
