"""Who owns what: rules from an account, tag, key or model to a team and a person, applied as joins.

A row's team is that of the first rule in the file that matches it; without one, the team that the row names itself
(a usage row's team, a tag ``team``); without that ``(unowned)``.
"""

import csv
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import duckdb

from comptroller.errors import BadFileError, InvalidInputError
from comptroller.ingest.columns import UNOWNED

MAX_OWNERS_BYTES: Final = 8 << 20
_EXAMPLE: Final = "write [[owner]] tables with one of account, subscription, tag, key, model, and team (and owner)"


class OwnerKind(StrEnum):
    """What a rule looks at."""

    ACCOUNT = "account"
    SUBSCRIPTION = "subscription"
    TAG = "tag"
    KEY = "key"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class OwnerRule:
    """One thing and whose it is.

    Args:
        kind: What `value` is.
        value: The account or subscription id, ``key=value`` of a tag, the key's alias, or the model's name.
        team: The same word that limits use.
        owner: A person or a list, None if the team is enough.
    """

    kind: OwnerKind
    value: str
    team: str
    owner: str | None = None

    def __post_init__(self) -> None:
        if not self.value or not self.team:
            raise InvalidInputError(f"owner rule {self.kind}={self.value!r}: value and team must not be empty")
        if self.kind is OwnerKind.TAG and "=" not in self.value:
            raise InvalidInputError(f"owner rule tag={self.value!r}: write a tag as key=value")


@dataclass(frozen=True, slots=True)
class OwnerRules:
    """Rules in order; the first that matches a row wins."""

    rules: tuple[OwnerRule, ...] = ()

    @property
    def kinds(self) -> tuple[OwnerKind, ...]:
        """Return the kinds that occur; only these are joined."""
        return tuple(kind for kind in OwnerKind if any(rule.kind is kind for rule in self.rules))


def read_owners(path: Path) -> OwnerRules:
    """Read an owners file: TOML with ``[[owner]]`` tables, or CSV with the columns kind, value, team, owner.

    Raises:
        BadFileError: If the file is neither, or a rule is not understood; names the rule.
    """
    try:
        data = path.read_bytes()[: MAX_OWNERS_BYTES + 1]
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadFileError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    if len(data) > MAX_OWNERS_BYTES:
        raise BadFileError(f"{path}: is larger than {MAX_OWNERS_BYTES} bytes: this is no owners file")
    try:
        rules = _from_csv(text) if path.suffix.lower() == ".csv" else _from_toml(text)
    except (InvalidInputError, tomllib.TOMLDecodeError, csv.Error) as error:
        raise BadFileError(f"{path}: {error}") from error
    return OwnerRules(tuple(rules))


def _from_toml(text: str) -> list[OwnerRule]:
    entries = tomllib.loads(text).get("owner")
    if not isinstance(entries, list):
        raise InvalidInputError(f"no owners: {_EXAMPLE}")
    return [_from_table(entry, number) for number, entry in enumerate(entries, 1)]


def _from_table(entry: Any, number: int) -> OwnerRule:
    if not isinstance(entry, Mapping) or not all(isinstance(value, str) for value in entry.values()):
        raise InvalidInputError(f"owner {number}: {_EXAMPLE}, all texts")
    kinds = [kind for kind in OwnerKind if kind in entry]
    unknown = entry.keys() - {*OwnerKind, "team", "owner"}
    if len(kinds) != 1 or unknown or "team" not in entry:
        raise InvalidInputError(f"owner {number}: {_EXAMPLE}")
    return OwnerRule(kinds[0], entry[kinds[0]], entry["team"], entry.get("owner"))


def _from_csv(text: str) -> list[OwnerRule]:
    reader = csv.DictReader(text.splitlines())
    if not {"kind", "value", "team"} <= set(reader.fieldnames or ()):
        raise InvalidInputError("no owners: the first line must be kind,value,team,owner")
    return [_from_record(record, reader.line_num) for record in reader]


def _from_record(record: Mapping[str, Any], line: int) -> OwnerRule:
    try:
        kind = OwnerKind(str(record["kind"]).strip().lower())
    except ValueError as error:
        raise InvalidInputError(f"line {line}: kind {record['kind']!r} is none of {', '.join(OwnerKind)}") from error
    return OwnerRule(kind, (record["value"] or "").strip(), (record["team"] or "").strip(), record.get("owner") or None)


def write_owners(connection: duckdb.DuckDBPyConnection, rules: OwnerRules) -> None:
    """Make ``owner_rules`` (rank, team, owner), ``owner_values`` (kind, value, rank) and ``tag_ranks`` (set, rank)."""
    connection.execute("create table owner_rules (rank integer, rule_team varchar, rule_owner varchar)")
    connection.execute("create table owner_values (kind varchar, value varchar, rank integer)")
    ranked: Iterable[tuple[int, OwnerRule]] = list(enumerate(rules.rules))
    if ranked:
        connection.executemany(
            "insert into owner_rules values (?, ?, ?)", [(rank, rule.team, rule.owner) for rank, rule in ranked]
        )
        connection.executemany(
            "insert into owner_values values (?, ?, ?)", [(rule.kind.value, rule.value, rank) for rank, rule in ranked]
        )
    connection.execute(
        "create table tag_ranks as select tag_set, min(rank) as rank from tag_pairs join owner_values as rules "
        "on rules.kind = 'tag' and rules.value = tag_pairs.key || '=' || tag_pairs.value group by tag_set"
    )


_MATCHES: Final[dict[OwnerKind, str]] = {
    OwnerKind.ACCOUNT: "lines.account",
    OwnerKind.KEY: "lines.key_alias",
    OwnerKind.MODEL: "lines.model",
    # Azure writes a subscription alone or as a path.
    OwnerKind.SUBSCRIPTION: r"regexp_replace(lines.account, '^/subscriptions/', '')",
}


def team_columns(rules: OwnerRules) -> str:
    """Return SQL for the columns team and owner of ``cost_lines``."""
    own = f"coalesce(lines.team, tag_canonical.team, '{UNOWNED}')"
    if not rules.rules:
        return f"{own} as team, lines.owner as owner"
    return (
        f"coalesce(owner_rules.rule_team, {own}) as team, "
        "case when owner_rules.rank is not null then owner_rules.rule_owner else lines.owner end as owner"
    )


def team_joins(rules: OwnerRules) -> str:
    """Return the SQL joins that find each row's first matching rule."""
    if not rules.rules:
        return ""
    ranks, joins = [], []
    for kind in rules.kinds:
        name = f"owned_by_{kind}"
        ranks.append(f"{name}.rank")
        if kind is OwnerKind.TAG:
            joins.append(f"left join tag_ranks as {name} on {name}.tag_set = tag_canonical.tag_set")
        else:
            chosen = f"(select value, min(rank) as rank from owner_values where kind = '{kind}' group by value)"
            joins.append(f"left join {chosen} as {name} on {name}.value = {_MATCHES[kind]}")
    first = ranks[0] if len(ranks) == 1 else f"least({', '.join(ranks)})"
    return " ".join([*joins, f"left join owner_rules on owner_rules.rank = {first}"])
