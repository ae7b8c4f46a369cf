"""Bring a source's files to where they can be read: a folder as it is, a bucket by the file-system library."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from comptroller.errors import InvalidInputError
from comptroller.types.background import Source

BYTES_MAX: Final = 20 * 1024**3  # a month of one big account; more is for several sources
REMOTE: Final = {"s3": "s3fs", "gs": "gcsfs", "abfs": "adlfs", "abfss": "adlfs", "az": "adlfs", "memory": "fsspec"}


@contextmanager
def local_copy(source: Source) -> Iterator[Path]:
    """Give a source's files as a local path, which is gone afterwards if it was fetched.

    Raises:
        InvalidInputError: If the source cannot be reached, or its library is not installed.
    """
    scheme, separator, _ = source.url.partition("://")
    if not separator:
        yield Path(source.url).expanduser()
        return
    if scheme not in REMOTE:
        raise InvalidInputError(f"source {source.name}: {scheme}:// is not read; use {', '.join(sorted(REMOTE))}")
    folder = Path(tempfile.mkdtemp(prefix="comptroller-pull-"))
    try:
        _fetch(source, scheme, folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fetch(source: Source, scheme: str, folder: Path) -> None:
    files = _file_system(source, scheme)
    try:
        total = sum(int(one.get("size") or 0) for one in files.find(source.url, detail=True).values())
        if total > BYTES_MAX:
            raise InvalidInputError(f"source {source.name} holds {total} bytes, more than {BYTES_MAX}")
        files.get(source.url, f"{folder}/", recursive=True)
    except OSError as error:
        raise InvalidInputError(f"source {source.name} cannot be read: {error}") from error


def _file_system(source: Source, scheme: str) -> Any:
    try:
        import fsspec  # noqa: PLC0415 — an extra

        return fsspec.filesystem(scheme)
    except ImportError as error:
        raise InvalidInputError(
            f"source {source.name} needs {REMOTE[scheme]}: pip install 'comptroller[sources]' {REMOTE[scheme]}"
        ) from error
