"""What the tests of the session corners share."""

from typing import Any

import pytest
from sqlalchemy.engine import make_url

from comptroller.models.outbox import OutboxNotice
from comptroller.models.policy_control_plane import TenantPolicy
from contract_calls import NOW, filled

ONLY_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ONLY_POSTGRES = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
BUSINESS = filled(TenantPolicy.__table__, tenant_id="acme")
BUSINESS_ROWS = "SELECT count(*) FROM tenant_policies"


def notice(**changes: Any) -> OutboxNotice:
    """Return a notice of the caller's own."""
    row = {"tenant_id": "acme", "id": "mine", "kind": "mine", "subject_id": "x", "severity": "LOW", "payload": {}}
    return OutboxNotice(**{**row, "created_at": NOW, **changes})


def native(url: str) -> str:
    """Return the URL as psycopg takes it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
