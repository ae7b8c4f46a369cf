"""A crash between any two statements of the main job leaves a consistent record, and a second run completes it.

Every statement takes minutes; the short form takes every eighth. ``COMPTROLLER_TEST_EVERY_STATEMENT=1`` takes all.
"""

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import bills
from crashes import CrashingScans
from faces import Face
from postgres import PostgresServer

STRIDE = 1 if os.environ.get("COMPTROLLER_TEST_EVERY_STATEMENT") else 8
SERVICES = {"Amazon EC2": bills.spiked(200, (80, 81), 5), "Amazon S3": bills.spiked(50, (70, 71), 6)}
DAYS = range(30, bills.DAYS)  # two months, so two deliveries
ORPHANS = {
    "an anomaly without its incident": (
        "SELECT a.id FROM anomalies a LEFT JOIN incidents i ON i.tenant_id = a.tenant_id AND i.anomaly_id = a.id "
        "WHERE i.id IS NULL"
    ),
    "an incident without its anomaly": (
        "SELECT i.id FROM incidents i LEFT JOIN anomalies a ON i.tenant_id = a.tenant_id AND i.anomaly_id = a.id "
        "WHERE a.id IS NULL"
    ),
    "an incident without its first event": (
        "SELECT i.id FROM incidents i WHERE NOT EXISTS (SELECT 1 FROM incident_events e "
        "WHERE e.tenant_id = i.tenant_id AND e.incident_id = i.id AND e.kind = 'opened')"
    ),
    "an incident without its notice": (
        "SELECT i.id FROM incidents i WHERE i.status = 'open' AND NOT EXISTS (SELECT 1 FROM outbox o "
        "WHERE o.tenant_id = i.tenant_id AND o.subject_id = i.id AND o.kind = 'incident.opened')"
    ),
    "an excess without its breach": (
        "SELECT i.id FROM incidents i WHERE i.anomaly_type = 'BUDGET_EXCEEDED' AND NOT EXISTS (SELECT 1 FROM "
        "limit_breaches b WHERE b.tenant_id = i.tenant_id AND b.incident_id = i.id)"
    ),
    "a breach without its notice": (
        "SELECT b.id FROM limit_breaches b WHERE NOT EXISTS (SELECT 1 FROM outbox o "
        "WHERE o.tenant_id = b.tenant_id AND o.subject_id = b.id)"
    ),
    "a delivery whose rows are not all there": (
        "SELECT d.id FROM cost_deliveries d WHERE d.row_count <> (SELECT COUNT(*) FROM cost_rows r "
        "WHERE r.tenant_id = d.tenant_id AND r.delivery_id = d.id)"
    ),
    "a delivery whose days are not all there": (
        "SELECT d.id FROM cost_deliveries d WHERE d.row_count <> (SELECT COALESCE(SUM(c.row_count), 0) FROM "
        "daily_costs c WHERE c.tenant_id = d.tenant_id AND c.delivery_id = d.id AND c.dimension = 'total')"
    ),
}


@contextmanager
def opened(url: str) -> Iterator[Face]:
    with asyncio.Runner() as runner:
        face = Face(url, is_async=False, runner=runner)
        yield face
        face.close()


def essence(face: Face) -> dict[str, Any]:
    """Return what a run leaves, without the ids that differ from run to run."""
    return {
        "rows": face.rows("SELECT COUNT(*), SUM(effective_quanta) FROM cost_rows"),
        "days": face.rows("SELECT dimension, COUNT(*), SUM(row_count) FROM daily_costs GROUP BY dimension ORDER BY 1"),
        "anomalies": face.rows("SELECT kind, value, severity, stake_quanta FROM anomalies ORDER BY 1, 2, 4"),
        "incidents": face.rows("SELECT severity, status, description FROM incidents ORDER BY description"),
        "events": face.rows("SELECT kind, COUNT(*) FROM incident_events GROUP BY kind ORDER BY kind"),
        "breaches": face.rows("SELECT breach_type, value_at_breach, occurrences FROM limit_breaches ORDER BY 2"),
        "notices": face.rows("SELECT kind, severity, COUNT(*) FROM outbox GROUP BY kind, severity ORDER BY 1, 2"),
        "audit": face.rows("SELECT action, COUNT(*) FROM audit_entries GROUP BY action ORDER BY action"),
    }  # fmt: skip


def set_limit(url: str) -> str:
    with opened(url) as face:
        face.do("limits.create", "monthly", ceiling="2000 USD", every="month")
    return url


def require_consistent_at_every_statement(fresh: Callable[[], str], drop: Callable[[str], None], file: Path) -> None:
    whole = fresh()
    with opened(whole) as face:
        face.scan(file)
        expected = essence(face)
    drop(whole)
    assert [len(expected[name]) > 1 for name in ("anomalies", "incidents", "breaches")] == [True] * 3
    deaths = 0
    with CrashingScans() as scans:
        for number in count(1, STRIDE):
            url = fresh()
            died = scans.scan(url, number, file)
            with opened(url) as face:
                for what, statement in ORPHANS.items():
                    assert face.rows(statement) == [], f"{what} after a crash at statement {number}"
                face.scan(file)
                assert essence(face) == expected, f"after a crash at statement {number}"
            drop(url)
            if not died:
                break
            deaths += 1
    assert deaths >= 40 / STRIDE


@pytest.fixture
def file(bill: Callable[..., Path]) -> Path:
    return bill("bill.csv", bills.rows(SERVICES, DAYS))


def test_a_crash_at_any_statement_leaves_a_consistent_record_on_sqlite(
    sqlite_template: Path, tmp_path: Path, file: Path
):
    numbers = count(1)

    def fresh() -> str:
        return set_limit(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / f'{next(numbers)}.db')}")

    require_consistent_at_every_statement(fresh, lambda _: None, file)


def test_a_crash_at_any_statement_leaves_a_consistent_record_on_postgresql(
    postgres_server: PostgresServer, postgres_template: str, file: Path
):
    def fresh() -> str:
        return set_limit(postgres_server.create(like=postgres_template))

    require_consistent_at_every_statement(fresh, postgres_server.drop, file)
