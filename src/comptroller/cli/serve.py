"""``comptroller serve``: the API over one database."""

import sys

from comptroller.cli.options import DEFAULT, Common

WELCOME = "/welcome?token="


def serve(
    *, host: str = "127.0.0.1", port: int = 8080, processes: int = 1, common: Common = DEFAULT
) -> int:  # fmt: skip
    """Serve the API; on a first start it prints the link by which the first admin sets a password.

    Example: comptroller serve --port 8080

    Args:
        host: The address to listen on; 0.0.0.0 for all.
        port: The port to listen on.
        processes: How many processes; more than one needs PostgreSQL.
        common: Where; --tenant names the home tenant, whose admins make the others.
    """
    from comptroller.api import server  # noqa: PLC0415 — heavy

    prepared = server.prepare(common.database, home=common.tenant)
    address = f"http://{host if host != '0.0.0.0' else 'localhost'}:{port}"  # noqa: S104 — compared, not bound
    if prepared.token is not None:
        _say(f"first admin, once and within 24 hours: {address}{WELCOME}{prepared.token}")
    if prepared.is_unbound:
        _say("row-level security does not bind this role: see comptroller db protect --help")
    _say(f"comptroller at {address}/v1, described at {address}/v1/openapi.json")
    server.serve(prepared, host=host, port=port, processes=processes)
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 — the command's own words
