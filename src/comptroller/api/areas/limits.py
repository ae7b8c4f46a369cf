"""Limits, their overrides, prices, owners, the audit."""

from typing import Final

from comptroller.api import bodies
from comptroller.api.policy import Policy
from comptroller.api.route import WHOLE, Paging, Route
from comptroller.spine.orchestrator import audit, limits, notices, prices
from comptroller.types.audit import AuditEntry
from comptroller.types.limit_file import PlannedChange
from comptroller.types.limits import Limit, LimitChange, Override
from comptroller.types.notices import Channel, NewChannel
from comptroller.types.prices import CatalogueUpdate, Price

_ONE: Final = "/v1/limits/{limit}"
_CHANNEL: Final = "/v1/channels/{name}"
_BY_NAME: Final = Paging(lambda one: str(one.name), argument="after")
_BY_ID: Final = Paging(lambda one: str(one.id))

ROUTES: Final = (
    Route(method="GET", path="/v1/limits", policy=Policy.READ, use_case=limits.list_limits,
          query=bodies.LimitQuery, answer=Limit, paging=_BY_NAME),
    Route(method="POST", path="/v1/limits", policy=Policy.ADMINISTER, use_case=limits.create_limit,
          body=bodies.NewLimit, answer=Limit, status=201, keeps_key=True),
    Route(method="GET", path=_ONE, policy=Policy.READ, use_case=limits.get_limit, answer=Limit),
    Route(method="PATCH", path=_ONE, policy=Policy.ADMINISTER, use_case=limits.update_limit,
          body=bodies.LimitPatch, answer=Limit, keeps_key=True),
    Route(method="POST", path=f"{_ONE}/archive", policy=Policy.ADMINISTER, use_case=limits.archive_limit,
          body=bodies.Reason, answer=Limit, keeps_key=True),
    Route(method="GET", path=f"{_ONE}/history", policy=Policy.READ, use_case=limits.limit_history,
          query=bodies.PageQuery, answer=LimitChange, paging=WHOLE),
    Route(method="POST", path=f"{_ONE}/overrides", policy=Policy.ADMINISTER, use_case=limits.override_limit,
          body=bodies.NewOverride, answer=Override, status=201, keeps_key=True),
    Route(method="POST", path=f"{_ONE}/overrides/{{override_id}}/revoke", policy=Policy.ADMINISTER,
          use_case=limits.revoke_override, body=bodies.Reason, answer=None, status=204, keeps_key=True),
    Route(method="GET", path="/v1/overrides", policy=Policy.READ, use_case=limits.list_overrides,
          query=bodies.OverrideQuery, answer=list[Override]),
    Route(method="PUT", path="/v1/limit-requirement", policy=Policy.ADMINISTER, use_case=limits.require_limit,
          body=bodies.Requirement, answer=None, status=204, keeps_key=True),
    Route(method="POST", path="/v1/limits-plan", policy=Policy.READ, use_case=limits.plan_limits,
          body=bodies.LimitFile, answer=list[PlannedChange]),
    Route(method="POST", path="/v1/limits-apply", policy=Policy.ADMINISTER, use_case=limits.apply_limits,
          body=bodies.LimitFileToApply, answer=list[PlannedChange], keeps_key=True),
    Route(method="GET", path="/v1/channels", policy=Policy.READ, use_case=notices.list_channels, answer=list[Channel]),
    Route(method="POST", path="/v1/channels", policy=Policy.ADMINISTER, use_case=notices.add_channel,
          body=bodies.NewChannelBody, answer=NewChannel, status=201, gives=("peppers",)),
    Route(method="DELETE", path=_CHANNEL, policy=Policy.ADMINISTER, use_case=notices.remove_channel, answer=None,
          status=204),
    Route(method="POST", path=f"{_CHANNEL}/retry", policy=Policy.OPERATE, use_case=notices.retry_channel, answer=int),
    Route(method="GET", path="/v1/prices", policy=Policy.READ, use_case=prices.list_prices,
          query=bodies.PriceQuery, answer=Price, paging=WHOLE),
    Route(method="POST", path="/v1/prices", policy=Policy.ADMINISTER, use_case=prices.set_price,
          body=bodies.NewPrice, answer=Price, status=201, keeps_key=True),
    Route(method="POST", path="/v1/prices/update", policy=Policy.HOME, use_case=prices.update_prices,
          answer=CatalogueUpdate),
    Route(method="GET", path="/v1/audit", policy=Policy.READ, use_case=audit.list_audit,
          query=bodies.AuditQuery, answer=AuditEntry, paging=_BY_ID),
)  # fmt: skip
