"""Make balances again from the entries alone (invariant I8); what differs is a fault."""

from sqlalchemy import Connection, select

from comptroller.domains.policies.driver.holds import key_of
from comptroller.enums import EntryKind
from comptroller.models.ledger import Balance, Entry
from comptroller.models.ledger import Route as RouteRow
from comptroller.types.sight import Unbalanced
from comptroller.types.spend import place_of

_BALANCES = Balance.__table__
_ENTRIES = Entry.__table__
_ROUTES = RouteRow.__table__
_READ_AT_ONCE = 10_000

Derived = dict[str, list[int]]


def derive(conn: Connection, tenant: str) -> Derived:
    """Return what each balance has spent and holds by the entries."""
    routes = {
        key_of(row.id): [(balance, place_of(unit)) for balance, unit in row.balances]
        for row in conn.execute(select(_ROUTES.c.id, _ROUTES.c.balances).where(_ROUTES.c.tenant_id == tenant))
    }
    found: Derived = {}
    open_amounts: dict[str, tuple[int, ...]] = {}
    entries = select(_ENTRIES).where(_ENTRIES.c.tenant_id == tenant).order_by(_ENTRIES.c.hold_id, _ENTRIES.c.step)
    for row in conn.execute(entries.execution_options(yield_per=_READ_AT_ONCE)):
        amounts = (row.amount, row.requests, row.tokens, row.runs)
        held: tuple[int, ...] = (0, 0, 0, 0)
        if row.kind == EntryKind.RESERVE:
            held, amounts = amounts, (0, 0, 0, 0)
            open_amounts[row.hold_id] = held
        elif row.step == 1:
            held = tuple(-amount for amount in open_amounts.pop(row.hold_id))
        for balance, place in routes[key_of(row.route_id)]:
            standing = found.setdefault(balance, [0, 0])
            standing[0] += amounts[place]
            standing[1] += held[place]
    return found


def unbalanced(conn: Connection, tenant: str) -> list[Unbalanced]:
    """Return the balances that are not what their entries say."""
    derived = derive(conn, tenant)
    stored = select(_BALANCES.c.id, _BALANCES.c.limit_id, _BALANCES.c.spent, _BALANCES.c.held).where(
        _BALANCES.c.tenant_id == tenant
    )
    wrong = []
    for row in conn.execute(stored):
        spent, held = derived.pop(key_of(row.id), [0, 0])
        if (spent, held) != (row.spent, row.held):
            wrong.append(Unbalanced(key_of(row.id), row.limit_id, (row.spent, row.held), (spent, held)))
    wrong += [Unbalanced(key, "", (0, 0), (spent, held)) for key, (spent, held) in derived.items() if spent or held]
    return wrong
