"""The public face under test: one face over ``comptroller.open`` and ``open_async``, on either database."""

import asyncio
import inspect
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy import inspect as inspect_database

import bills
import comptroller
from comptroller.spine.orchestrator.scanning import scan
from desks import TurnedClock

NOW = bills.noon(bills.DAYS)
_VERSION = "comptroller_version"


class Face:
    """A tenant's library, sync or async, with a clock that tests turn, and a stranger's look at the tables.

    Args:
        url: The database's sync URL.
        is_async: Whether to open it for asyncio.
        runner: Runs the coroutines of this test.
        tenant: Who pays.
    """

    def __init__(self, url: str, *, is_async: bool, runner: asyncio.Runner, tenant: str = "acme") -> None:
        self.url, self.is_async, self.tenant, self._runner = url, is_async, tenant, runner
        self.clock = TurnedClock(NOW)
        opener = comptroller.open_async if is_async else comptroller.open
        self.library: Any = opener(url, tenant=tenant, actor="ana", clock=self.clock)
        self._reader = create_engine(url)

    def result(self, value: Any) -> Any:
        """Return a value, awaited if it is a coroutine."""
        return self._runner.run(value) if inspect.iscoroutine(value) else value

    def do(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Call a name of the face, such as ``anomalies.detect``."""
        return self.result(attrgetter(name)(self.library)(*args, **kwargs))

    def scan(self, *paths: Path, **options: Any) -> Any:
        """Do the main job: files in, anomalies and incidents out."""
        run = scan.run_async if self.is_async else scan.run
        return self.result(run(self.library.engine, self.library.caller, *paths, **options))

    def turn_to(self, now: datetime) -> None:
        """Set the clock."""
        self.clock.now = now

    def another(self, tenant: str) -> "Face":
        """Open the same database for another tenant."""
        return Face(self.url, is_async=self.is_async, runner=self._runner, tenant=tenant)

    def rows(self, statement: str, **parameters: Any) -> list[Any]:
        """Return what is committed."""
        with self._reader.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement), parameters)]

    def value(self, statement: str, **parameters: Any) -> Any:
        """Return the one value that is committed."""
        ((found,),) = self.rows(statement, **parameters)
        return found

    def execute(self, statement: str) -> None:
        """Do something to the database that comptroller did not ask for."""
        with self._reader.begin() as connection:
            connection.exec_driver_sql(statement)

    def tables(self) -> dict[str, list[str]]:
        """Return every row of every table."""
        names = sorted(set(inspect_database(self._reader).get_table_names()) - {_VERSION})
        return {name: sorted(map(repr, self.rows(f"SELECT * FROM {name}"))) for name in names}

    def close(self) -> None:
        """Close every connection."""
        self._reader.dispose()
        self.result(self.library.close())


def changed(before: dict[str, list[str]], after: dict[str, list[str]]) -> list[str]:
    """Return the names of the tables whose rows differ."""
    return [name for name in after if before.get(name) != after[name]]
