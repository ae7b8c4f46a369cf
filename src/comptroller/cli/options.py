"""Options that every verb has."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from comptroller.face.library import Comptroller


class OutputFormat(StrEnum):
    """For people or for machines."""

    TABLE = "table"
    JSON = "json"


@Parameter(name="*")
@dataclass(frozen=True)
class Common:
    """Where the data is, for whom, and how to answer.

    Attributes:
        database: postgresql+psycopg://… or an SQLite file.
        tenant: Who pays.
        format: table for people, json for machines.
    """

    database: Annotated[str | None, Parameter(env_var="COMPTROLLER_DATABASE", group="Common")] = None
    tenant: Annotated[str | None, Parameter(env_var="COMPTROLLER_TENANT", group="Common")] = None
    format: Annotated[OutputFormat, Parameter(group="Common")] = OutputFormat.TABLE

    @property
    def is_json(self) -> bool:
        """Tell whether a machine reads the answer."""
        return self.format is OutputFormat.JSON

    @contextmanager
    def opened(self) -> Iterator["Comptroller"]:
        """Open the library over the named database for the named tenant, acting as the system's user."""
        import getpass  # noqa: PLC0415 — only a verb needs it

        from comptroller.face.library import open_sync  # noqa: PLC0415 — heavy

        with open_sync(self.database, tenant=self.tenant, actor=f"cli:{getpass.getuser()}") as ct:
            yield ct


DEFAULT = Common()
