"""Scans that die at their N-th statement, as a power cut would have it.

Run as a program, this file reads lines ``URL N FILE`` and answers each with how the scan of that file ended: 9 where
it died when about to send its N-th statement (a commit counts as one), 0 where it had done its work before. Each scan
is a fork of this process, which has everything imported and no thread.
"""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Engine, event

DIED = 9


class CrashingScans:
    """Scans for the tenant acme in processes that die at a given statement."""

    def __enter__(self) -> Self:
        command = [sys.executable, __file__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def scan(self, url: str, number: int, file: Path) -> bool:
        """Scan a file; True if it died at the N-th statement, False if it ended before."""
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answers is not None
        print(url, number, file, file=asked, flush=True)
        status = int(answers.readline())
        assert status in {0, DIED}, f"the scan that was to die at statement {number} ended with status {status}"
        return status == DIED


def crash_at(engine: Engine, number: int) -> None:
    """Have this process end, without any clearing up, when the engine is about to send its N-th statement."""
    seen = 0

    def count(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            os._exit(DIED)

    event.listen(engine, "before_cursor_execute", count)
    event.listen(engine, "commit", count)


def scan_and_die(url: str, number: int, file: str) -> None:
    """Scan in this process, which ends with it."""
    import bills
    import comptroller
    from comptroller.spine.orchestrator.scanning import scan

    with closing(comptroller.open(url, tenant="acme", actor="ana", clock=lambda: bills.noon(bills.DAYS))) as library:
        crash_at(library.engine, number)
        scan.run(library.engine, library.caller, file)


def main() -> None:
    """Answer the lines of standard input."""
    import comptroller.face.library
    import comptroller.spine.orchestrator.scanning  # noqa: F401 — so that no fork has to

    for line in sys.stdin:
        url, number, file = line.split()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                scan_and_die(url, int(number), file)
                status = 0
            finally:
                os._exit(status)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
