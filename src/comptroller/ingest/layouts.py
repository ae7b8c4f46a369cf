"""Folders as AWS and Azure export them: manifests say which files belong, and only the newest run of a period counts.

Sources: AWS, "Understanding export delivery" (``data/BILLING_PERIOD=2024-09/…``, ``metadata/…/NAME-Manifest.json``) and
"Understanding your report versions" (``20240901-20241001/…-Manifest.json`` with reportKeys); Microsoft, "Understand
export folder structure" (``20240901-20240930/RUN/manifest.json`` with blobs).
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from comptroller.ingest.blocks import refuse

# A synchronised bucket has tens of files a month.
MAX_FILES: Final = 20_000
MAX_MANIFEST_BYTES: Final = 16 << 20
_DATA_SUFFIXES: Final = (".csv", ".csv.gz", ".parquet", ".gz", ".json", ".jsonl", ".ndjson", ".json.gz")
_PERIOD: Final = re.compile(r"(?i)(BILLING_PERIOD=\d{4}-\d{2}|\d{8}-\d{8})")


@dataclass(frozen=True, slots=True)
class _Manifest:
    path: Path
    period: tuple[str, ...]
    run: tuple[int, str, float]
    keys: tuple[str, ...]


def bill_files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Return the files to read: given files as they are, folders by their manifests or else whole.

    Raises:
        BadFileError: If a path does not exist, a folder holds no bill, or a manifest names a file that is missing.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            found.update(dict.fromkeys(_in_folder(path)))
        elif path.exists():
            found[path] = None
        else:
            raise refuse(path, "no such file or folder")
    return tuple(found)


def _in_folder(folder: Path) -> list[Path]:
    inside = sorted(_walk(folder))
    manifests = [path for path in inside if path.name.lower().endswith("manifest.json")]
    data = [path for path in inside if path not in set(manifests) and path.name.lower().endswith(_DATA_SUFFIXES)]
    read = [manifest for manifest in (_read(folder, path) for path in manifests) if manifest is not None]
    if read:
        return [file for manifest in _newest(read) for file in _named(folder, manifest, data)]
    if not data:
        raise refuse(folder, "holds no CSV, Parquet or JSON file: nothing to take in")
    return data


def _walk(folder: Path) -> Iterator[Path]:
    for count, path in enumerate(folder.rglob("*")):
        if count > MAX_FILES:
            raise refuse(folder, f"holds more than {MAX_FILES} files: name the folder of the export itself")
        hidden = any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
        if not hidden and path.is_file():
            yield path


def _read(folder: Path, path: Path) -> _Manifest | None:
    """Return what a manifest says, None if it is some other program's."""
    if path.stat().st_size > MAX_MANIFEST_BYTES:
        raise refuse(path, f"is larger than {MAX_MANIFEST_BYTES} bytes: this is no manifest")
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise refuse(path, f"is a damaged manifest ({error}): fetch it again") from error
    keys = _keys(content) if isinstance(content, Mapping) else None
    if keys is None:
        return None
    parts = path.relative_to(folder).parts[:-1]
    place = next((number for number, part in enumerate(parts) if _PERIOD.fullmatch(part)), None)
    period = (path.name,) if place is None else tuple(part for part in parts[: place + 1] if part != "metadata")
    run = (-len(parts), _run_name(content, parts), path.stat().st_mtime)
    return _Manifest(path, period, run, keys)


def _keys(content: Mapping[str, Any]) -> tuple[str, ...] | None:
    listed = content.get("reportKeys") or content.get("dataFiles") or content.get("blobs")
    if not isinstance(listed, list):
        return None
    names = [item.get("blobName") if isinstance(item, Mapping) else item for item in listed]
    return tuple(str(name) for name in names if name)


def _run_name(content: Mapping[str, Any], parts: Sequence[str]) -> str:
    """Return a text that is greater for a later run: its own time, or its folder, which begins with one."""
    info = content.get("runInfo")
    if isinstance(info, Mapping) and info.get("submittedTime"):
        return str(info["submittedTime"])
    return str(content.get("executionId") or (parts[-1] if parts else ""))


def _newest(manifests: Sequence[_Manifest]) -> list[_Manifest]:
    """Of each period the manifest nearest the period's folder, which providers overwrite; among equals the last run."""
    best: dict[tuple[str, ...], _Manifest] = {}
    for manifest in manifests:
        known = best.get(manifest.period)
        if known is None or manifest.run > known.run:
            best[manifest.period] = manifest
    return [best[period] for period in sorted(best)]


def _named(folder: Path, manifest: _Manifest, data: Sequence[Path]) -> list[Path]:
    if not manifest.keys:
        return []
    return [_match(folder, manifest, key, data) for key in manifest.keys]


def _match(folder: Path, manifest: _Manifest, key: str, data: Sequence[Path]) -> Path:
    """Find the file by as much of its key's end as the folder has; a bucket's prefix may be cut off or replaced."""
    wanted = [part for part in re.split(r"[/\\]", key) if part]
    same_name = [path for path in data if path.name == wanted[-1]]
    if not same_name:
        raise refuse(manifest.path, f"names {key!r}, which {folder} does not hold: fetch the whole export")
    return max(same_name, key=lambda path: _common_end(path.relative_to(folder).parts, wanted))


def _common_end(parts: Sequence[str], wanted: Sequence[str]) -> int:
    count = 0
    for one, other in zip(reversed(parts), reversed(wanted), strict=False):
        if one != other:
            break
        count += 1
    return count
