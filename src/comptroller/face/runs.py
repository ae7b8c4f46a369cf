"""``ct.runs`` and the kill switch's names."""

from comptroller.face.binding import verb
from comptroller.spine.orchestrator import kills as switch
from comptroller.spine.orchestrator import runs


class RunVerbs:
    """``ct.runs``: what is running, and the way to stop it."""

    list = verb(runs.list_runs)
    get = verb(runs.get_run)
    halt = verb(runs.halt_run)


class KillVerbs:
    """``ct.kill``, ``ct.lift`` and what they would stop."""

    kill = verb(switch.kill)
    lift = verb(switch.lift)
    kills = verb(switch.list_kills)
    preview_kill = verb(switch.preview_kill)
