"""Bytes on disk made safe to read: what kind a file is, its fingerprint, its bounds; gzip unpacked under a bound."""

import hashlib
import os
import shutil
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final

from comptroller.errors import BadFileError

BLOCK_BYTES: Final = 1 << 20
# No provider writes a bill's line near this long; a longer one would have to be held in memory whole.
MAX_LINE_BYTES: Final = 1 << 20
# Bills compress 5 to 60 times; a bomb of zeros 1,000 times. Small files may do what they like.
MAX_GZIP_RATIO: Final = 200
FREE_GZIP_BYTES: Final = 64 << 20
_FOREIGN: Final = {
    b"PK\x03\x04": "is a ZIP archive (or a spreadsheet): unpack it, or save the sheet as CSV",
    b"\xfd7zXZ\x00": "is compressed with xz: unpack it first",
    b"\x28\xb5\x2f\xfd": "is compressed with zstd: unpack it first",
    b"BZh": "is compressed with bzip2: unpack it first",
    b"%PDF": "is a PDF: ask the provider for the cost export as CSV or Parquet",
    b"\xff\xfe": "is UTF-16: save it as UTF-8",
    b"\xfe\xff": "is UTF-16: save it as UTF-8",
}


class FileKind(StrEnum):
    """How a file's bytes are laid out."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


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


def refuse(path: Path, why: str) -> BadFileError:
    """Return the error that names the file and what is wrong with it."""
    return BadFileError(f"{path}: {why}")


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
    raw = _hashed(stream, digest.update)
    if head.startswith(b"\x1f\x8b"):
        return _unpacked(path, raw, scratch / f"file{number}", digest.hexdigest)
    if head.startswith(b"PAR1"):
        for _ in raw:
            pass
        return SourceFile(path, _link(path, scratch / f"file{number}.parquet"), FileKind.PARQUET, digest.hexdigest())
    kind = _kind(path, _checked(path, raw))
    return SourceFile(path, _link(path, scratch / f"file{number}.{kind}"), kind, digest.hexdigest())


def _unpacked(path: Path, raw: Iterator[bytes], target: Path, digest: Callable[[], str]) -> SourceFile:
    blocks = _gunzip(path, raw)
    with target.open("wb") as out:
        kind = _kind(path, _written(_checked(path, blocks), out))
    return SourceFile(path, target, kind, digest())


def _hashed(stream: BinaryIO, update: Callable[[bytes], None]) -> Iterator[bytes]:
    while block := stream.read(BLOCK_BYTES):
        update(block)
        yield block


def _written(blocks: Iterator[bytes], out: BinaryIO) -> Iterator[bytes]:
    for block in blocks:
        out.write(block)
        yield block


def _kind(path: Path, blocks: Iterator[bytes]) -> FileKind:
    """Drain the blocks; the first says whether they are JSON or CSV."""
    kind = None
    for block in blocks:
        if kind is None:
            kind = _text_kind(block)
    if kind is None:
        raise refuse(path, "is empty: nothing to take in")
    return kind


def _text_kind(block: bytes) -> FileKind:
    start = block.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return FileKind.JSON if start in (b"[", b"{") else FileKind.CSV


def _checked(path: Path, blocks: Iterator[bytes]) -> Iterator[bytes]:
    line = 1
    is_csv = None
    for block in blocks:
        is_csv = _text_kind(block) is FileKind.CSV if is_csv is None else is_csv
        if b"\0" in block:
            at = line + block.count(b"\n", 0, block.index(b"\0"))
            raise refuse(path, f"line {at}: a NUL byte: this is no text file, or it was cut while being written")
        newlines = block.count(b"\n")
        if is_csv and not newlines and len(block) >= MAX_LINE_BYTES and b"\r" not in block:
            raise refuse(path, f"line {line} is longer than {MAX_LINE_BYTES} bytes: this is no bill")
        line += newlines
        yield block


def _gunzip(path: Path, raw: Iterator[bytes]) -> Iterator[bytes]:
    packed = unpacked = 0
    member = zlib.decompressobj(wbits=31)
    is_open = False
    for block in raw:
        packed += len(block)
        rest = block
        while rest:
            if member.eof:
                if not rest.strip(b"\0"):
                    break
                member = zlib.decompressobj(wbits=31)
            try:
                piece = member.decompress(rest, BLOCK_BYTES)
            except zlib.error as error:
                raise refuse(path, f"is a damaged gzip file ({error}): fetch it again") from error
            rest = member.unused_data if member.eof else member.unconsumed_tail
            is_open = not member.eof
            unpacked += len(piece)
            if unpacked > max(FREE_GZIP_BYTES, MAX_GZIP_RATIO * packed):
                raise refuse(path, f"unpacks to more than {MAX_GZIP_RATIO} times its size: this is no bill but a bomb")
            if piece:
                yield piece
    if is_open:
        raise refuse(path, "is a truncated gzip file: fetch it again")


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
