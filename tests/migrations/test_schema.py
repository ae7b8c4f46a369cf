from collections.abc import Iterator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, Table, UniqueConstraint, create_engine, inspect, text
from sqlalchemy.orm import Session

from comptroller.database import current_revision, head_revision, require_head, upgrade
from comptroller.errors import SchemaBehindError
from comptroller.models.mapping import GLOBAL_TABLES
from comptroller.models.policy_control_plane import Limit
from comptroller.models.schema import metadata
from comptroller.spine.drivers.cross_domain import create_incident_from_cost_anomaly_sync, record_limit_breach_sync
from contract_calls import ANOMALY, CROSSING, filled

TENANT_TABLES = [table for table in metadata.sorted_tables if table.name not in GLOBAL_TABLES]


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Connection]:
    """Give a connection to a database without tables."""
    engine = create_engine(empty_database_url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def govern(connection: Connection) -> dict[str, int]:
    """Use the contract over a connection, and return how many rows each of its tables holds then."""
    with Session(bind=connection, join_transaction_mode="control_fully") as session:
        session.execute(filled(Limit.__table__, tenant_id="acme", id="limit-1", every="month", mode="block"))
        create_incident_from_cost_anomaly_sync(session, **ANOMALY)
        record_limit_breach_sync(session, **CROSSING)
        session.commit()
    names = ("limits", "incidents", "incident_events", "limit_breaches", "outbox")
    return {name: connection.scalar(text(f"SELECT count(*) FROM {name}")) or 0 for name in names}


GOVERNED = {"limits": 1, "incidents": 1, "incident_events": 1, "limit_breaches": 1, "outbox": 2}


def test_migrations_make_every_table_from_nothing(empty_database_url: str, empty: Connection):
    upgrade(empty_database_url)
    assert set(inspect(empty).get_table_names()) == {*metadata.tables, "comptroller_version"}
    assert current_revision(empty) == head_revision()
    assert govern(empty) == GOVERNED


def test_models_equal_the_head_of_the_migrations(database_url: str):
    engine = create_engine(database_url)
    with engine.connect() as connection:
        options = {"version_table": "comptroller_version"}
        context = MigrationContext.configure(connection, opts={**options, "compare_server_default": True})
        differences = [change for change in compare_metadata(context, metadata) if not is_version_table(change)]
    engine.dispose()
    assert differences == []


def is_version_table(change: Any) -> bool:
    return change[0] == "remove_table" and change[1].name == "comptroller_version"


def test_upgrade_can_be_repeated(empty_database_url: str, empty: Connection):
    upgrade(empty_database_url)
    upgrade(empty_database_url)
    assert current_revision(empty) == head_revision()


def test_schema_that_is_absent_names_the_mend(empty: Connection):
    assert current_revision(empty) is None
    with pytest.raises(SchemaBehindError, match=r"is absent, this version needs .*: run comptroller db upgrade"):
        require_head(empty)


def test_schema_of_another_revision_is_refused(empty_database_url: str, empty: Connection):
    upgrade(empty_database_url)
    require_head(empty)
    empty.execute(text("UPDATE comptroller_version SET version_num = '0000'"))
    with pytest.raises(SchemaBehindError, match="is 0000"):
        require_head(empty)


def test_create_all_is_enough_for_an_applications_own_tests(empty: Connection):
    metadata.create_all(empty)
    assert govern(empty) == GOVERNED


@pytest.mark.parametrize("empty_database_url", ["postgresql"], indirect=True)
def test_tables_can_be_partitioned_by_hash_of_the_tenant(empty: Connection):
    partitioned = MetaData(naming_convention=metadata.naming_convention)
    for table in metadata.sorted_tables:
        copy = table.to_metadata(partitioned)
        if table.name not in GLOBAL_TABLES:
            copy.dialect_options["postgresql"]["partition_by"] = "HASH (tenant_id)"
    partitioned.create_all(empty)
    for table in TENANT_TABLES:
        for part in (0, 1):
            values = f"FOR VALUES WITH (MODULUS 2, REMAINDER {part})"
            empty.execute(text(f"CREATE TABLE {table.name}_{part} PARTITION OF {table.name} {values}"))
    empty.commit()
    kinds = empty.scalars(text("SELECT count(*) FROM pg_class WHERE relkind = 'p'")).one()
    assert kinds == len(TENANT_TABLES)
    assert govern(empty) == GOVERNED


@pytest.mark.parametrize("table", TENANT_TABLES, ids=lambda table: table.name)
def test_every_key_and_index_begins_with_the_tenant(table: Table):
    uniques = [constraint for constraint in table.constraints if isinstance(constraint, UniqueConstraint)]
    keys = [list(key.columns) for key in (table.primary_key, *uniques, *table.foreign_key_constraints)]
    indexes = [list(index.columns) for index in table.indexes]
    assert all(columns[0].name == "tenant_id" for columns in keys + indexes)
    assert all(key.elements[0].column.name == "tenant_id" for key in table.foreign_key_constraints)
    assert not table.columns["tenant_id"].nullable


def test_global_tables_exist_and_each_has_a_reason():
    assert set(GLOBAL_TABLES) <= set(metadata.tables)
    assert all(len(reason) > 20 for reason in GLOBAL_TABLES.values())
