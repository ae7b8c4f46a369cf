"""Who is served next: tenants take turns over a bounded number of connections, and each takes all it has queued."""

from collections import deque
from typing import Final, Generic, TypeVar

W = TypeVar("W")
GROUP_MAX: Final = 1024  # actions in one transaction: bounds how long it holds its balances


class Turns(Generic[W]):
    """Queues of one process; whoever uses it keeps others out meanwhile.

    Args:
        slots: How many groups may be in flight at once; a tenant never has more than one.
    """

    def __init__(self, slots: int) -> None:
        self._free = slots
        self._queues: dict[str, list[W]] = {}
        self._served: set[str] = set()
        self._ready: deque[str] = deque()

    @property
    def has_room(self) -> bool:
        """Tell whether a group may start now."""
        return self._free > 0

    def put(self, tenant: str, waiting: W) -> None:
        """Queue behind what the tenant has queued already."""
        queue = self._queues.get(tenant)
        if queue is None:
            self._queues[tenant] = [waiting]
            if tenant not in self._served:
                self._ready.append(tenant)
        else:
            queue.append(waiting)

    def start(self) -> str | None:
        """Give a connection to the tenant whose turn it is; None if there is none, or none waits."""
        if self._free == 0 or not self._ready:
            return None
        self._free -= 1
        tenant = self._ready.popleft()
        self._served.add(tenant)
        return tenant

    def first(self, tenant: str) -> W:
        """Return who waits longest."""
        return self._queues[tenant][0]

    def take(self, tenant: str) -> list[W]:
        """Take the tenant's next group out of its queue."""
        queue = self._queues.pop(tenant)
        if len(queue) > GROUP_MAX:
            self._queues[tenant] = queue[GROUP_MAX:]
        return queue[:GROUP_MAX]

    def drop(self, tenant: str, waiting: W) -> bool:
        """Take one out again that no group has taken; False if one has."""
        queue = self._queues.get(tenant, [])
        if waiting not in queue:
            return False
        queue.remove(waiting)
        if not queue:
            del self._queues[tenant]
            if tenant in self._ready:
                self._ready.remove(tenant)
        return True

    def done(self, tenant: str) -> None:
        """Give the connection back and queue the tenant behind the others, if it has more."""
        self._free += 1
        self._served.discard(tenant)
        if tenant in self._queues:
            self._ready.append(tenant)
