"""What a process that works in the background sets up: logs, metrics, peppers."""

import logging
import os
import sys
from pathlib import Path
from typing import Any, Final

import structlog
from prometheus_client import start_http_server
from sqlalchemy import URL, Engine

from comptroller.peppers import Peppers, load_peppers

HOST_VARIABLE: Final = "COMPTROLLER_METRICS_HOST"
FORMAT_VARIABLE: Final = "COMPTROLLER_LOG_FORMAT"
SECRET_NAMES: Final = ("password", "secret", "token", "authorization", "cookie", "target", "key_id", "pepper")


def peppers_of(engine: Engine) -> Peppers:
    """Return the peppers of an engine's database."""
    return load_peppers(_sqlite_file(engine.url))


def _sqlite_file(url: URL) -> Path | None:
    return Path(str(url.database)).expanduser().resolve() if url.get_backend_name() == "sqlite" else None


def serve_metrics(port: int) -> None:
    """Let Prometheus read this process's metrics."""
    start_http_server(port, os.environ.get(HOST_VARIABLE) or "127.0.0.1")


def set_up_logs() -> None:
    """Write logs to standard error: one JSON object a line, or for people with ``COMPTROLLER_LOG_FORMAT=text``."""
    is_text = os.environ.get(FORMAT_VARIABLE) == "text"
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_secrets,
    ]
    last: Any = structlog.dev.ConsoleRenderer() if is_text else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *([] if is_text else [structlog.processors.format_exc_info]),
                last,
            ],
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def hide_secrets(_logger: Any, _method: str, event: Any) -> Any:
    """Replace the values of fields whose names say that they are secret."""
    for name in event:
        if any(mark in name.lower() for mark in SECRET_NAMES):
            event[name] = "(hidden)"
    return event
