"""The ledger on SQLite: the transaction holds the only write lock, so rows need none of their own."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from comptroller.domains.policies.engine.admission import Tally
from comptroller.domains.policies.engine.page import Page
from comptroller.sql import as_lite, lite_value

_POLICY: Final = "SELECT version, requires_limit FROM tenant_policies WHERE tenant_id = ?"
_READ: Final = """SELECT id, spent, held FROM balances
  WHERE tenant_id = ? AND id IN (SELECT value FROM json_each(?))"""
_BALANCES: Final = """INSERT INTO balances
    (tenant_id, id, limit_id, subject, unit, window_start, window_end, spent, held)
  VALUES (:tenant, :id, :limit_id, :subject, :unit, :start, :end, 0, 0) ON CONFLICT DO NOTHING"""
_ROUTES: Final = """INSERT INTO routes (tenant_id, id, currency, run_id, dimensions, balances, is_ungoverned)
  VALUES (:tenant, :id, :currency, :run_id, :dimensions, :balances, :ungoverned) ON CONFLICT DO NOTHING"""
_MOVE: Final = "UPDATE balances SET spent = ?, held = ? WHERE tenant_id = ? AND id = ?"
_OPEN: Final = "INSERT INTO open_holds (tenant_id, id, expires_at, is_unsent) VALUES (?, ?, ?, ?)"
_ENTER: Final = """INSERT INTO entries (hold_id, step, kind, route_id, amount, requests, tokens, runs, is_estimated,
  price_version, tenant_id, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_CLOSE: Final = "DELETE FROM open_holds WHERE tenant_id = ? AND id IN (SELECT value FROM json_each(?))"
_KEYS: Final = """INSERT INTO hold_keys (tenant_id, key, content_hash, hold_id, created_at)
  VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""
_EXTEND: Final = """UPDATE open_holds SET expires_at = coalesce(?, expires_at), is_unsent = coalesce(?, is_unsent)
  WHERE tenant_id = ? AND id = ?"""


def lock(conn: Connection, tenant: str, ids: Iterable[str]) -> tuple[int, bool, Tally] | None:
    """Read the policy row and the balances; the transaction holds the write lock already.

    Returns:
        The policy's version, whether a limit is required, and the balances that exist; None for a new tenant.
    """
    policy = conn.exec_driver_sql(_POLICY, (tenant,)).first()
    if policy is None:
        return None
    rows = conn.exec_driver_sql(_READ, (tenant, json.dumps(list(ids))))
    return policy[0], bool(policy[1]), {row[0]: [row[1], row[2]] for row in rows}


def make_balances(conn: Connection, parameters: Sequence[dict[str, Any]]) -> None:
    """Insert balances of new windows."""
    conn.exec_driver_sql(_BALANCES, [as_lite(each) for each in parameters])


def make_routes(conn: Connection, parameters: Sequence[dict[str, Any]]) -> None:
    """Insert routes that may be new."""
    conn.exec_driver_sql(_ROUTES, [as_lite(each) for each in parameters])


def write(conn: Connection, tenant: str, page: Page, now: datetime) -> bool:
    """Write a page; False if a hold to be closed was not open."""
    at = lite_value(now)
    moved = page.changed()
    if moved:
        conn.exec_driver_sql(_MOVE, [(spent, held, tenant, key) for key, spent, held in moved])
    if page.opened:
        conn.exec_driver_sql(_OPEN, [(tenant, row[0], _later(now, row[6]), row[7]) for row in page.opened])
    entered = [(row[0], 0, "reserve", *row[1:6], False, row[8], tenant, at) for row in page.opened]
    entered += [(*row, tenant, at) for row in page.entries]
    if entered:
        conn.exec_driver_sql(_ENTER, entered)
    if page.keys:
        conn.exec_driver_sql(_KEYS, [(tenant, *key, at) for key in page.keys])
    if not page.closed:
        return True
    return conn.exec_driver_sql(_CLOSE, (tenant, json.dumps(page.closed))).rowcount == len(page.closed)


def extend(
    conn: Connection, tenant: str, hold_id: str, *, seconds: int | None, unsent: bool | None, now: datetime
) -> bool:
    """Change an open hold's life; False if it is not open."""
    return conn.exec_driver_sql(_EXTEND, (_later(now, seconds), unsent, tenant, hold_id)).rowcount == 1


def _later(now: datetime, seconds: int | None) -> str | None:
    return None if seconds is None else str(lite_value(now + timedelta(seconds=seconds)))
