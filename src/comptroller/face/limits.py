"""``ct.limits``: create, list, get, update, archive, override."""

from comptroller.face.binding import verb
from comptroller.spine.orchestrator import limits


class LimitVerbs:
    """The names of limits; mixed with a place they are sync, async or in the caller's transaction."""

    create = verb(limits.create_limit)
    update = verb(limits.update_limit)
    archive = verb(limits.archive_limit)
    override = verb(limits.override_limit)
    revoke_override = verb(limits.revoke_override)
    overrides = verb(limits.list_overrides)
    require = verb(limits.require_limit)
    get = verb(limits.get_limit)
    list = verb(limits.list_limits)
    plan = verb(limits.plan_limits)
    apply = verb(limits.apply_limits)
    history = verb(limits.limit_history)
