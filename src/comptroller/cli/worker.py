"""``comptroller worker``: the work in the background, alone."""

import signal
import threading
from typing import Any

from comptroller.cli.options import DEFAULT, Common


def worker(*, metrics_port: int | None = None, once: bool = False, common: Common = DEFAULT) -> int:
    """Sweep, detect, pull, deliver, until told to stop; any number of copies may run.

    Example: comptroller worker --metrics-port 9464

    Args:
        metrics_port: Where Prometheus may read this process's metrics, on 127.0.0.1 unless COMPTROLLER_METRICS_HOST.
        once: Do what is due now, and end.
        common: Where; all its tenants are served.
    """
    from comptroller import settings  # noqa: PLC0415 — only this verb needs it
    from comptroller.worker.loop import Worker  # noqa: PLC0415 — heavy
    from comptroller.worker.process import peppers_of, serve_metrics, set_up_logs  # noqa: PLC0415 — heavy

    set_up_logs()
    with common.opened() as ct:
        made = Worker(ct.engine, peppers_of(ct.engine), public_url=settings.public_url())
        if once:
            made.drain()
            return 0
        if metrics_port is not None:
            serve_metrics(metrics_port)
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, _stopping(made.stop))
        thread = threading.Thread(target=made.run, name="comptroller-worker")
        thread.start()
        thread.join()
    return 0


def _stopping(stop: Any) -> Any:
    def handle(_signal: int, _frame: Any) -> None:
        stop()

    return handle
