"""Tags once per distinct text: checked, made canonical, taken apart; rows are joined by their text."""

from typing import Final

import duckdb

# A key with more values in one delivery is an id of something, not a dimension to watch.
MAX_TAG_VALUES: Final = 1_000
# A longer pair is a document, and would not fit a database's index.
MAX_TAG_LENGTH: Final = 512

# Azure's older exports write the pairs without the braces around them. Scalar functions only: an aggregate over
# millions of distinct texts would not fit the memory bound.
_SETS: Final = """
create table tag_sets as
select row_number() over () as tag_set, raw, pairs, to_json(pairs)::varchar as tags, pairs is null as is_bad
from (
    select raw, case when json_valid(text) and json_type(text) = 'OBJECT' then
        try(map_from_entries(list_sort(list_transform(
            map_entries(text::json::map(varchar, varchar)),
            lambda pair: {'key': pair.key, 'value': coalesce(pair.value, '')}
        )))) end as pairs
    from (
        select tags as raw, case when starts_with(trim(tags), '"') then '{' || tags || '}' else tags end as text
        from (select distinct tags from lines where tags is not null)
    )
)
"""
_PAIRS: Final = """
create table tag_pairs as
select tag_set, pair.key as key, pair.value as value
from (select tag_set, unnest(map_entries(pairs)) as pair from tag_sets where not is_bad)
"""
_CANONICAL: Final = """
create view tag_canonical as
select raw, tag_set, is_bad, nullif(tags, '{}') as tags,
    coalesce(nullif(pairs['team'], ''), nullif(pairs['Team'], '')) as team
from tag_sets
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
        "select key from (select distinct key, value from tag_pairs) group by key having count(*) > ? "
        "or max(length(key) + length(value)) >= ? order by key",
        [MAX_TAG_VALUES, MAX_TAG_LENGTH],
    ).fetchall()
    return tuple(str(row[0]) for row in rows)
