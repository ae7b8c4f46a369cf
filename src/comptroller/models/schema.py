"""The whole schema in one place: importing this module registers every table."""

from sqlalchemy import MetaData

from comptroller.models import (  # noqa: F401 — imported for their tables
    access,
    anomalies,
    audit,
    background,
    costs,
    killswitch,
    ledger,
    notices,
    outbox,
    policy_control_plane,
    prices,
    runs,
)
from comptroller.models.mapping import Base

metadata: MetaData = Base.metadata
