"""A file's bytes, block by block and once: unpacked under a bound, checked for what no text may have."""

import zlib
from collections.abc import Callable, Iterator
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


class FileKind(StrEnum):
    """How a file's bytes are laid out."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def refuse(path: Path, why: str) -> BadFileError:
    """Return the error that names the file and what is wrong with it."""
    return BadFileError(f"{path}: {why}")


@dataclass(slots=True)
class TextFacts:
    """What was seen of a text file while its blocks went by.

    Args:
        path: The file.
        kind: Told by its first character.
        newlines: Line feeds, at least one of each block that has any.
        pairs: Line feeds after a carriage return.
    """

    path: Path
    kind: FileKind = FileKind.CSV
    newlines: int = 0
    pairs: int = 0

    @property
    def has_mixed_newlines(self) -> bool:
        """Say whether only some lines end in a carriage return and a line feed, as in files put together."""
        return self.kind is FileKind.CSV and 0 < self.pairs < self.newlines


def raw_blocks(stream: BinaryIO, update: Callable[[bytes], None]) -> Iterator[bytes]:
    """Yield a file's bytes, each block also given to a hash."""
    while block := stream.read(BLOCK_BYTES):
        update(block)
        yield block


def checked(blocks: Iterator[bytes], facts: TextFacts) -> Iterator[bytes]:
    """Yield the blocks and fill in the facts.

    Raises:
        BadFileError: If there is nothing, a NUL, or a line that never ends.
    """
    before = open_line = 0
    last = b""
    for block in blocks:
        if not before:
            facts.kind = _kind(block)
        if b"\0" in block:
            at = before + block.index(b"\0") + 1
            raise refuse(facts.path, f"byte {at}: a NUL: this is no text file, or it was cut while being written")
        if b"\r" in block or last == b"\r":
            facts.pairs += block.count(b"\r\n") + (last == b"\r" and block.startswith(b"\n"))
            facts.newlines += block.count(b"\n")
        else:
            facts.newlines += b"\n" in block  # one is enough to tell, and cheaper than a count
        end = max(block.rfind(b"\n"), block.rfind(b"\r"))
        open_line = len(block) - end - 1 if end >= 0 else open_line + len(block)
        before += len(block)
        if open_line > MAX_LINE_BYTES and facts.kind is FileKind.CSV:
            start = before - open_line + 1
            raise refuse(facts.path, f"byte {start}: a line longer than {MAX_LINE_BYTES} bytes: this is no bill")
        last = block[-1:]
        yield block
    if not before:
        raise refuse(facts.path, "is empty: nothing to take in")


def _kind(block: bytes) -> FileKind:
    start = block.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return FileKind.JSON if start in (b"[", b"{") else FileKind.CSV


def one_newline(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the blocks with line feeds alone; the number of lines stays."""
    held = b""
    for block in blocks:
        text = held + block
        held = b"\r" if text.endswith(b"\r") else b""
        yield text.removesuffix(b"\r").replace(b"\r\n", b"\n")
    yield held


def gunzip(path: Path, raw: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what gzip blocks unpack to, member after member, as far as a bill could.

    Raises:
        BadFileError: If the file is damaged or cut, or unpacks to far more than a bill does.
    """
    packed = unpacked = 0
    member = zlib.decompressobj(wbits=31)
    is_open = False
    for block in raw:
        packed += len(block)
        rest = block
        while rest:
            if member.eof:
                if not rest.strip(b"\0"):
                    break  # padding after the last member
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
