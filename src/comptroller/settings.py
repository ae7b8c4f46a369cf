"""Settings from the environment; every one has a default, and none can switch a mandatory write off."""

import os
from typing import Final

DEFAULT_DATABASE: Final = "sqlite:///comptroller.db"
DEFAULT_TENANT: Final = "default"


def database() -> str:
    """Return the database's URL: ``COMPTROLLER_DATABASE``, else an SQLite file in the working directory."""
    return os.environ.get("COMPTROLLER_DATABASE") or DEFAULT_DATABASE


def tenant() -> str:
    """Return the tenant: ``COMPTROLLER_TENANT``, else ``default``."""
    return os.environ.get("COMPTROLLER_TENANT") or DEFAULT_TENANT


def listen_url() -> str | None:
    """Return the URL by which kills are heard of past a pooler: ``COMPTROLLER_LISTEN_DATABASE``, else None."""
    return os.environ.get("COMPTROLLER_LISTEN_DATABASE") or None


def public_url() -> str | None:
    """Return where people reach the dashboard, for links in notices: ``COMPTROLLER_PUBLIC_URL``, else None."""
    return os.environ.get("COMPTROLLER_PUBLIC_URL") or None
