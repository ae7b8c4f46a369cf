"""A private DuckDB of bounded memory: what a bill is checked in before anything is stored."""

import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import duckdb

# DuckDB's buffers; with the interpreter and the file's blocks the process stays under 600 MB. What does not fit goes
# to the scratch folder on disk.
MEMORY_LIMIT: Final = "320MB"
THREADS: Final = 2


class Scratch:
    """A temporary folder and a DuckDB over it, gone when closed."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="comptroller-", ignore_cleanup_errors=True)
        self.path = Path(self._folder.name)
        self.connection = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": MEMORY_LIMIT,
                "threads": THREADS,
                "temp_directory": str(self.path / "spill"),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        # Tables in memory are kept compressed, and row order holds at full speed; a database file has neither.
        self.connection.execute("attach ':memory:' as bill (compress)")
        self.connection.execute("use bill")
        self.connection.execute("set TimeZone = 'UTC'")
        # A list after IN would become a join, and a join loses the order of a file's rows, by which lines are found.
        self.connection.execute("set disabled_optimizers = 'in_clause'")
        self.connection.execute("set enable_progress_bar = false")  # it would write to standard output

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the memory and the folder back; calling it again does nothing."""
        self.connection.close()
        self._folder.cleanup()
