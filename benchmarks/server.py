"""A PostgreSQL of a benchmark's own, as safe as a production server: what it says is committed is on the disk."""

import shutil
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import psycopg

import postgres_keeper
from postgres_keeper import native

DURABLE_SETTINGS = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "wal_level": "replica",
    "max_wal_size": "4GB",
    "shared_buffers": "256MB",
    "autovacuum": "on",
}


@contextmanager
def durable_server() -> Iterator[str]:
    """Run a server on the disk and yield the URL of an empty database in it."""
    postgres_keeper.SERVER_SETTINGS.update(DURABLE_SETTINGS)
    folder = Path(tempfile.gettempdir()).resolve() / f"comptroller-bench-{uuid.uuid4().hex[:12]}"
    folder.mkdir(mode=0o755)
    keeper = postgres_keeper.Keeper(folder)
    try:
        yield keeper.start()
    finally:
        keeper.stop()
        shutil.rmtree(folder, ignore_errors=True)


def server_version(url: str) -> str:
    """Return the server's version."""
    with psycopg.connect(native(url)) as connection:
        return str(connection.execute("SHOW server_version").fetchone()[0])


def require_durable(url: str) -> None:
    """Fail if the server would lose what it committed."""
    with psycopg.connect(native(url)) as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute(f"SHOW {name}").fetchone()[0] == "on", name
