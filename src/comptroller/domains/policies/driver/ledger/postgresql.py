"""The ledger on PostgreSQL: rows locked in key order, a group written by one statement from arrays.

Arrays travel as text literals, which the driver passes on as they are; one statement text is prepared once.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from comptroller.domains.policies.engine.admission import Tally
from comptroller.domains.policies.engine.page import Page

# The policy row comes first: a change of limits or a kill holds it, and is seen by whoever waited.
_LOCK: Final = """WITH policy AS MATERIALIZED (
  SELECT version, requires_limit FROM tenant_policies WHERE tenant_id = %(tenant)s FOR SHARE
), locked AS MATERIALIZED (
  SELECT b.id, b.spent, b.held FROM balances AS b, policy
  WHERE b.tenant_id = %(tenant)s AND b.id = ANY (%(ids)s::uuid[]) ORDER BY b.id FOR UPDATE OF b
) SELECT version, requires_limit, id, spent, held FROM policy LEFT JOIN locked ON true"""
_BALANCES: Final = """INSERT INTO balances
    (tenant_id, id, limit_id, subject, unit, window_start, window_end, spent, held)
  VALUES (%(tenant)s, %(id)s, %(limit_id)s, %(subject)s, %(unit)s, %(start)s, %(end)s, 0, 0)
  ON CONFLICT DO NOTHING"""
_ROUTES: Final = """INSERT INTO routes (tenant_id, id, currency, run_id, dimensions, balances, is_ungoverned)
  VALUES (%(tenant)s, %(id)s, %(currency)s, %(run_id)s, %(dimensions)s::jsonb, %(balances)s::jsonb, %(ungoverned)s)
  ON CONFLICT DO NOTHING"""
_COLUMNS: Final = """(tenant_id, hold_id, step, kind, route_id, amount, requests, tokens, runs, is_estimated,
    price_version, at)"""
_MOVE: Final = """UPDATE balances AS b SET spent = v.spent, held = v.held
    FROM unnest(%(b_ids)s::uuid[], %(b_spent)s::bigint[], %(b_held)s::bigint[]) AS v (id, spent, held)
    WHERE b.tenant_id = %(tenant)s AND b.id = v.id"""
_OPENED: Final = """unnest(%(o_ids)s::uuid[], %(o_routes)s::uuid[], %(o_amounts)s::bigint[], %(o_requests)s::bigint[],
    %(o_tokens)s::bigint[], %(o_runs)s::smallint[], %(o_seconds)s::int[], %(o_unsent)s::boolean[], %(o_prices)s::text[])
    AS v (id, route, amount, requests, tokens, runs, seconds, unsent, price)"""
_OPEN: Final = f"""INSERT INTO open_holds (tenant_id, id, expires_at, is_unsent)
    SELECT %(tenant)s, id, %(now)s + seconds * interval '1 second', unsent FROM {_OPENED}"""
_ENTER_OPENED: Final = f"""INSERT INTO entries {_COLUMNS}
    SELECT %(tenant)s, id, 0, 'reserve', route, amount, requests, tokens, runs, false, price, %(now)s FROM {_OPENED}"""
_CLOSE: Final = """DELETE FROM open_holds
    WHERE tenant_id = %(tenant)s AND id = ANY (%(closed)s::uuid[]) RETURNING 1"""
_ENTER: Final = f"""INSERT INTO entries {_COLUMNS}
    SELECT %(tenant)s, v.*, %(now)s FROM unnest(%(e_ids)s::uuid[], %(e_steps)s::smallint[], %(e_kinds)s::text[],
      %(e_routes)s::uuid[], %(e_amounts)s::bigint[], %(e_requests)s::bigint[], %(e_tokens)s::bigint[],
      %(e_runs)s::smallint[], %(e_estimated)s::boolean[], %(e_prices)s::text[]) AS v"""
_WRITE_OPENED: Final = f"WITH m AS ({_MOVE}), o AS ({_OPEN}) {_ENTER_OPENED}"
_WRITE_ENDED: Final = f"WITH m AS ({_MOVE}), c AS ({_CLOSE}), e AS ({_ENTER}) SELECT count(*) FROM c"
_WRITE_BOTH: Final = (
    f"WITH m AS ({_MOVE}), o AS ({_OPEN}), r AS ({_ENTER_OPENED}), c AS ({_CLOSE}), e AS ({_ENTER}) "
    "SELECT count(*) FROM c"
)
_KEYS: Final = """INSERT INTO hold_keys (tenant_id, key, content_hash, hold_id, created_at)
  SELECT %(tenant)s, v.*, %(now)s FROM unnest(%(keys)s::text[], %(hashes)s::text[], %(ids)s::uuid[]) AS v
  ON CONFLICT DO NOTHING RETURNING 1"""
_EXTEND: Final = """UPDATE open_holds SET
    expires_at = CASE WHEN %(seconds)s::int IS NULL THEN expires_at
      ELSE %(now)s + %(seconds)s::int * interval '1 second' END,
    is_unsent = coalesce(%(unsent)s::boolean, is_unsent)
  WHERE tenant_id = %(tenant)s AND id = %(id)s RETURNING 1"""


def lock(conn: Connection, tenant: str, ids: Iterable[str]) -> tuple[int, bool, Tally] | None:
    """Lock the policy row shared and the balances in key order.

    Returns:
        The policy's version, whether a limit is required, and the balances that exist; None for a new tenant.
    """
    rows = conn.exec_driver_sql(_LOCK, {"tenant": tenant, "ids": _array(ids)}).all()
    if not rows:
        return None
    tally: Tally = {row[2].hex: [row[3], row[4]] for row in rows if row[2] is not None}
    return rows[0][0], rows[0][1], tally


def make_balances(conn: Connection, parameters: Sequence[dict[str, Any]]) -> None:
    """Insert balances of new windows, in key order; those that somebody else made stay."""
    conn.exec_driver_sql(_BALANCES, list(parameters))


def make_routes(conn: Connection, parameters: Sequence[dict[str, Any]]) -> None:
    """Insert routes that may be new."""
    conn.exec_driver_sql(_ROUTES, list(parameters))


def write(conn: Connection, tenant: str, page: Page, now: datetime) -> bool:
    """Write a page; False if a hold to be closed was not open, or a key was taken in between."""
    parameters = {"tenant": tenant, "now": now} | _moved(page)
    are_closed = True
    if page.entries:
        statement = _WRITE_BOTH if page.opened else _WRITE_ENDED
        parameters |= _entries(page) | (_opened(page) if page.opened else {})
        are_closed = conn.exec_driver_sql(statement, parameters).scalar_one() == len(page.closed)
    elif page.opened:
        conn.exec_driver_sql(_WRITE_OPENED, parameters | _opened(page))
    return are_closed and _write_keys(conn, tenant, page, now)


def extend(
    conn: Connection, tenant: str, hold_id: str, *, seconds: int | None, unsent: bool | None, now: datetime
) -> bool:
    """Change an open hold's life; False if it is not open."""
    parameters = {"tenant": tenant, "id": hold_id, "seconds": seconds, "unsent": unsent, "now": now}
    return conn.exec_driver_sql(_EXTEND, parameters).first() is not None


def _write_keys(conn: Connection, tenant: str, page: Page, now: datetime) -> bool:
    if not page.keys:
        return True
    keys, hashes, ids = zip(*sorted(page.keys), strict=True)
    parameters = {"tenant": tenant, "now": now, "keys": list(keys), "hashes": list(hashes), "ids": _array(ids)}
    return len(conn.exec_driver_sql(_KEYS, parameters).all()) == len(page.keys)


def _moved(page: Page) -> dict[str, Any]:
    moved = page.changed()
    ids, spent, held = zip(*moved, strict=True) if moved else ((), (), ())
    return {"b_ids": _array(ids), "b_spent": _numbers(spent), "b_held": _numbers(held)}


def _opened(page: Page) -> dict[str, Any]:
    ids, routes, amounts, requests, tokens, runs, seconds, unsent, prices = zip(*page.opened, strict=True)
    return {
        "o_ids": _array(ids),
        "o_routes": _array(routes),
        "o_amounts": _numbers(amounts),
        "o_requests": _numbers(requests),
        "o_tokens": _numbers(tokens),
        "o_runs": _numbers(runs),
        "o_seconds": _array("NULL" if number is None else str(number) for number in seconds),
        "o_unsent": _flags(unsent),
        "o_prices": _texts(prices),
    }


def _entries(page: Page) -> dict[str, Any]:
    columns = zip(*page.entries, strict=True)
    ids, steps, kinds, routes, amounts, requests, tokens, runs, estimated, prices = columns
    return {
        "closed": _array(page.closed),
        "e_ids": _array(ids),
        "e_steps": _numbers(steps),
        "e_kinds": _array(kinds),
        "e_routes": _array(routes),
        "e_amounts": _numbers(amounts),
        "e_requests": _numbers(requests),
        "e_tokens": _numbers(tokens),
        "e_runs": _numbers(runs),
        "e_estimated": _flags(estimated),
        "e_prices": _texts(prices),
    }


def _array(words: Iterable[str]) -> str:
    return "{" + ",".join(words) + "}"


def _numbers(numbers: Iterable[int]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"


def _flags(flags: Iterable[bool]) -> str:
    return "{" + ",".join(["t" if flag else "f" for flag in flags]) + "}"


def _texts(texts: Sequence[str | None]) -> Any:
    # Almost always all absent; a text of a caller's needs the driver's own quoting.
    return list(texts) if any(texts) else "{" + ",".join(["NULL"] * len(texts)) + "}"
