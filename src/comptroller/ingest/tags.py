"""Tags once per distinct text: checked, made canonical, taken apart; rows are joined by their text."""

from typing import Final

import duckdb

# A key with more values in one delivery is an id of something, not a dimension to watch.
MAX_TAG_VALUES: Final = 1_000
# A longer pair is a document, and would not fit a database's index.
MAX_TAG_LENGTH: Final = 512

# Azure's older exports write the pairs without the braces around them.
_SETS: Final = """
create table tag_sets as
select row_number() over (order by raw) as tag_set, raw,
    case when json_valid(text) and json_type(text) = 'OBJECT' then text end as object
from (
    select tags as raw, case when starts_with(trim(tags), '"') then '{' || tags || '}' else tags end as text
    from (select distinct tags from lines where tags is not null)
)
"""
_PAIRS: Final = """
create table tag_pairs as
select tag_set, entry.key as key, coalesce(last(entry.value ->> '$' order by entry.id), '') as value
from (select tag_set, object from tag_sets where object is not null) as sets, json_each(sets.object) as entry
group by tag_set, entry.key
"""
_CANONICAL: Final = """
create table tag_canonical as
select sets.raw, sets.tag_set, sets.object is null as is_bad, pairs.tags, pairs.team
from tag_sets as sets left join (
    select tag_set, to_json(map_from_entries(list((key, value) order by key)))::varchar as tags,
        max(case when lower(key) = 'team' and value <> '' then value end) as team
    from tag_pairs group by tag_set
) as pairs using (tag_set)
"""


def take_tags_apart(connection: duckdb.DuckDBPyConnection) -> None:
    """Make ``tag_pairs`` (set, key, value) and ``tag_canonical`` (raw text, set, canonical text) from ``lines``."""
    for statement in (_SETS, _PAIRS, _CANONICAL):
        connection.execute(statement)


def mark_bad_tags(connection: duckdb.DuckDBPyConnection, check: int) -> None:
    """Mark the rows whose tags are no JSON object as failing the check of that number."""
    if not connection.execute("select count(*) from tag_canonical where is_bad").fetchall()[0][0]:
        return
    connection.execute(
        f"update lines set bad_check = {check}, bad_value = lines.tags from tag_canonical "
        "where tag_canonical.raw = lines.tags and is_bad and bad_check is null"
    )


def left_out_keys(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Return the keys that become no series, in order: those with too many values or with one that is too long."""
    rows = connection.execute(
        "select key from tag_pairs group by key having count(distinct value) > ? "
        "or max(length(key) + length(value)) >= ? order by key",
        [MAX_TAG_VALUES, MAX_TAG_LENGTH],
    ).fetchall()
    return tuple(str(row[0]) for row in rows)
