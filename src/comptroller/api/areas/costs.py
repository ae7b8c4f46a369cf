"""Cost files in, costs asked for, who owns what."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from comptroller.api import bodies
from comptroller.api.call import Call
from comptroller.api.policy import Policy
from comptroller.api.problems import RequestError
from comptroller.api.route import Paging, Route
from comptroller.errors import BadFileError
from comptroller.spine.orchestrator import costs, ingestion
from comptroller.types.cost_query import DayCost
from comptroller.types.costs import IngestReport

OWNERS_MAX: Final = 4 * 1024 * 1024
UPLOADS_MAX: Final = 2  # at once in one process; each may fill its bound of disk
OCTETS: Final = "application/octet-stream"
_uploads: Final = asyncio.Semaphore(UPLOADS_MAX)


async def upload_costs(call: Call) -> IngestReport:
    """Take a cost file in: the body is the file itself (CSV, gzip, Parquet), of the name in `name`."""
    said = {name: getattr(call.query, name) for name in ("source", "format", "arrival", "skip_bad")}
    options: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    if call.query.map is not None:
        options["column_map"] = _columns(call.query.map)
    async with _uploads, _received(call, call.service.upload_max) as file:
        report = await ingestion.ingest.run_async(call.service.engine, call.caller, file, **options)
    return _without_folder(report, file.parent)


async def apply_owners(call: Call) -> dict[str, int]:
    """Replace the rules of who owns what; the body is the file (TOML, or CSV with `name` ending in `.csv`)."""
    async with _received(call, OWNERS_MAX) as file:
        count = await ingestion.apply_owners.run_async(call.service.engine, call.caller, file)
    return {"rules": count}


@asynccontextmanager
async def _received(call: Call, longest: int) -> AsyncIterator[Path]:
    """Keep the body in a file of its own for as long as it is read; errors name the file, not where it was."""
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="comptroller-upload-"))
    try:
        file = folder / call.query.name
        await _receive(call, file, longest)
        yield file
    except BadFileError as error:
        raise BadFileError(str(error).replace(f"{folder}/", "")) from error
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _receive(call: Call, file: Path, longest: int) -> None:
    with await asyncio.to_thread(file.open, "wb") as target:
        async for chunk in call.incoming.chunks(longest):
            await asyncio.to_thread(target.write, chunk)
        if target.tell() == 0:
            raise RequestError("invalid-input", "the body is empty: send the file itself")


def _columns(text: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(name and column for name, _, column in pairs):
        raise RequestError("invalid-input", "query: map is written like time=Day,cost=Amount")
    return {name.strip(): column.strip() for name, _, column in pairs}


def _without_folder(report: IngestReport, folder: Path) -> IngestReport:
    def bare(text: str) -> str:
        return text.replace(f"{folder}/", "")

    files, examples = tuple(map(bare, report.files)), tuple(map(bare, report.bad_examples))
    return replace(report, files=files, bad_examples=examples)


def _place(one: Any) -> str:
    return costs.place_of(one)


ROUTES: Final = (
    Route(method="POST", path="/v1/costs", policy=Policy.OPERATE, handler=upload_costs, query=bodies.UploadQuery,
          answer=IngestReport, status=201, media_type=OCTETS),
    Route(method="GET", path="/v1/costs", policy=Policy.READ, use_case=costs.query_costs, query=bodies.CostQuery,
          answer=DayCost, paging=Paging(_place, argument="after")),
    Route(method="GET", path="/v1/owners", policy=Policy.READ, use_case=ingestion.list_owners,
          answer=ingestion.list_owners.__signature__.return_annotation),
    Route(method="PUT", path="/v1/owners", policy=Policy.ADMINISTER, handler=apply_owners, query=bodies.OwnersQuery,
          answer=dict[str, int], media_type=OCTETS),
)  # fmt: skip
