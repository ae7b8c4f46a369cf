"""Bytes on disk made safe to read: what kind a file is, its fingerprint, its bounds; gzip unpacked under a bound."""

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from comptroller.ingest.blocks import FileKind, TextFacts, checked, gunzip, one_newline, raw_blocks, refuse

_FOREIGN: Final = {
    b"PK\x03\x04": "is a ZIP archive (or a spreadsheet): unpack it, or save the sheet as CSV",
    b"\xfd7zXZ\x00": "is compressed with xz: unpack it first",
    b"\x28\xb5\x2f\xfd": "is compressed with zstd: unpack it first",
    b"BZh": "is compressed with bzip2: unpack it first",
    b"%PDF": "is a PDF: ask the provider for the cost export as CSV or Parquet",
    b"\xff\xfe": "is UTF-16: save it as UTF-8",
    b"\xfe\xff": "is UTF-16: save it as UTF-8",
}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that was looked at and may be read.

    Args:
        path: As given.
        readable: Unpacked and under a name without wildcards; lives as long as the scratch folder.
        kind: How it is laid out.
        sha256: Of the bytes as given, hexadecimal.
    """

    path: Path
    readable: Path
    kind: FileKind
    sha256: str


def fingerprint(paths: Sequence[Path]) -> str:
    """Return one SHA-256 of all files' contents; neither their order nor their names matter."""
    return _together([_digest(path) for path in paths])


def _together(digests: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(sorted(set(digests))).encode()).hexdigest()


def joint_fingerprint(files: Sequence[SourceFile]) -> str:
    """Return what `fingerprint` returns for the same files, without reading them again."""
    return _together([file.sha256 for file in files])


def _digest(path: Path) -> str:
    try:
        with path.open("rb", buffering=0) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise refuse(path, f"cannot be read: {error.strerror or error}") from error


def inspect(path: Path, *, scratch: Path, number: int) -> SourceFile:
    """Look at all bytes of a file once: hash them, unpack gzip, refuse what could not be read within bounds.

    Raises:
        BadFileError: If the file is empty, foreign, truncated, a bomb, or has a NUL or an endless line.
    """
    try:
        with path.open("rb", buffering=0) as stream:
            return _inspect(path, stream, scratch=scratch, number=number)
    except OSError as error:
        raise refuse(path, f"cannot be read: {error.strerror or error}") from error


def _inspect(path: Path, stream: BinaryIO, *, scratch: Path, number: int) -> SourceFile:
    head = stream.read(6)
    stream.seek(0)
    if not head:
        raise refuse(path, "is empty: nothing to take in")
    for magic, why in _FOREIGN.items():
        if head.startswith(magic):
            raise refuse(path, why)
    digest = hashlib.sha256()
    raw = raw_blocks(stream, digest.update)
    target = scratch / f"file{number}"
    if head.startswith(b"PAR1"):
        for _ in raw:
            pass
        readable = _link(path, target.with_suffix(".parquet"))
        return SourceFile(path, readable, FileKind.PARQUET, digest.hexdigest())
    facts = TextFacts(path)
    if head.startswith(b"\x1f\x8b"):
        _write(target, checked(gunzip(path, raw), facts))
        readable = target
    else:
        for _ in checked(raw, facts):
            pass
        readable = _link(path, target)
    if facts.has_mixed_newlines:
        readable = _with_one_newline(readable, target.with_suffix(".lf"))
    return SourceFile(path, readable, facts.kind, digest.hexdigest())


def _write(target: Path, blocks: Iterator[bytes]) -> None:
    with target.open("wb") as out:
        for block in blocks:
            out.write(block)


def _with_one_newline(source: Path, target: Path) -> Path:
    with source.open("rb", buffering=0) as stream:
        _write(target, one_newline(raw_blocks(stream, _ignore)))
    return target


def _ignore(_block: bytes) -> None:
    return None


def _link(path: Path, target: Path) -> Path:
    """Give the file a name without wildcards; DuckDB would expand ``*`` and ``[`` in the given one."""
    try:
        target.symlink_to(path.resolve())
    except OSError:  # a system that keeps links from plain users
        try:
            os.link(path, target)
        except OSError:
            shutil.copyfile(path, target)
    return target
