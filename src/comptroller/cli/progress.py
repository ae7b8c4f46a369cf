"""A progress bar for work over a second, on a terminal only."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from comptroller.cli.output import error_console

PATIENCE_SECONDS: Final = 1.0


@contextmanager
def progress_bar() -> Iterator[Callable[[str, float], None] | None]:
    """Yield a function that takes a step's name and the done share of it; None where nobody watches."""
    target = error_console()
    if not target.is_terminal:
        yield None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=target, transient=True, disable=False) as bar:
        task = bar.add_task("starting", total=1.0, visible=False)
        began = time.monotonic()

        def show(step: str, share: float) -> None:
            is_long = time.monotonic() - began > PATIENCE_SECONDS
            bar.update(task, description=step, completed=share, visible=is_long)

        yield show
