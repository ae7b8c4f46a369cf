"""Small cost files, opened as a caller would, and their rows as dictionaries."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from comptroller.ingest.bill import Bill, open_bill
from comptroller.ingest.columns import COST_ROW_COLUMNS

TODAY = date(2025, 6, 15)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def opened() -> Iterator[Callable[..., Bill]]:
    with ExitStack() as stack:

        def opened(*paths: Path, **options: Any) -> Bill:
            return stack.enter_context(open_bill(paths, today=options.pop("today", TODAY), **options))

        yield opened


@pytest.fixture
def read(opened: Callable[..., Bill]) -> Callable[..., list[dict[str, Any]]]:
    def read(*paths: Path, **options: Any) -> list[dict[str, Any]]:
        return rows_of(opened(*paths, **options))

    return read


@pytest.fixture
def focus() -> Callable[..., str]:
    """Make the text of a small FOCUS file: a header and the given rows, each a mapping over an ordinary row."""
    ordinary = {
        "ChargePeriodStart": "2025-04-01T00:00:00Z",
        "ChargePeriodEnd": "2025-04-02T00:00:00Z",
        "BilledCost": "1.5",
        "EffectiveCost": "1.25",
        "BillingCurrency": "USD",
        "ServiceName": "Storage",
        "BillingAccountId": "acct",
        "ProviderName": "AWS",
    }

    def focus(*rows: dict[str, str], header: tuple[str, ...] = ()) -> str:
        columns = list(dict.fromkeys([*ordinary, *header, *(name for row in rows for name in row)]))
        lines = [",".join(columns)]
        for row in rows:
            cells = {**ordinary, **row}
            lines.append(",".join('"' + cells.get(name, "").replace('"', '""') + '"' for name in columns))
        return "\n".join(lines) + "\n"

    return focus


@pytest.fixture(scope="session")
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real bills, given by the environment or beside the checkout."""
    beside = Path(__file__).parents[3].parent / "shared" / "data"
    folder = Path(os.environ.get("COMPTROLLER_TEST_DATA") or beside)
    if not folder.is_dir():
        pytest.skip("no real data: set COMPTROLLER_TEST_DATA")
    return folder


def rows_of(bill: Bill) -> list[dict[str, Any]]:
    """Return all rows of all parts in the order of the delivery."""
    found = [
        dict(zip(COST_ROW_COLUMNS, row, strict=True))
        for part in bill.parts
        for batch in bill.rows(part, tenant_id="acme", delivery_id="d1")
        for row in batch
    ]
    return sorted(found, key=lambda row: row["row_no"])
