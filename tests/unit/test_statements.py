import pytest

from comptroller.statements import Kind, ends_transaction, kind_of


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT 1", (Kind.READ, "")),
        ("  select 1", (Kind.READ, "")),
        ("-- why\nSELECT 1", (Kind.READ, "")),
        ("/* who */ SELECT 1", (Kind.READ, "")),
        ("EXPLAIN SELECT 1", (Kind.READ, "")),
        ("INSERT INTO t VALUES (1)", (Kind.OTHER, "")),
        ("WITH a AS (SELECT 1) INSERT INTO t SELECT 1", (Kind.OTHER, "")),
        ("(SELECT 1)", (Kind.OTHER, "")),
        ("", (Kind.OTHER, "")),
        ("PRAGMA foreign_keys", (Kind.UNBEGUN, "")),
        ("BEGIN IMMEDIATE", (Kind.UNBEGUN, "")),
        ("VACUUM", (Kind.UNBEGUN, "")),
        ("COMMIT", (Kind.COMMIT, "")),
        ("commit work;", (Kind.COMMIT, "")),
        ("END TRANSACTION", (Kind.COMMIT, "transaction")),
        ("COMMIT PREPARED 'x'", (Kind.OTHER, "")),
        ("ROLLBACK", (Kind.ROLLBACK, "")),
        ("abort", (Kind.ROLLBACK, "")),
        ("ROLLBACK PREPARED 'x'", (Kind.OTHER, "")),
        ("SAVEPOINT sa_savepoint_1", (Kind.SAVEPOINT, "sa_savepoint_1")),
        ('savepoint "Mine" ;', (Kind.SAVEPOINT, "mine")),
        ("RELEASE SAVEPOINT a", (Kind.RELEASE, "a")),
        ("RELEASE a", (Kind.RELEASE, "a")),
        ("ROLLBACK TO a", (Kind.ROLLBACK_TO, "a")),
        ("ROLLBACK TO SAVEPOINT a", (Kind.ROLLBACK_TO, "a")),
        ("ROLLBACK TRANSACTION TO SAVEPOINT a;", (Kind.ROLLBACK_TO, "a")),
        ("SELECTED", (Kind.OTHER, "")),
    ],
)
def test_kind_is_told_by_the_first_words(statement: str, expected: tuple[Kind, str]):
    kind, name = kind_of(statement)
    assert kind is expected[0]
    if kind in {Kind.SAVEPOINT, Kind.RELEASE, Kind.ROLLBACK_TO}:
        assert name == expected[1]


@pytest.mark.parametrize(
    "statement",
    [
        "COMMIT",
        "commit;",
        " \n COMMIT AND CHAIN",
        "END",
        "PREPARE  TRANSACTION 'x'",
        "/**/COMMIT",
        "--\nCOMMIT",
        "/* /* */ */ COMMIT",
        "SELECT 1; COMMIT",
        "SELECT 1;/* x */ END",
        "SELECT '/*'; COMMIT; SELECT '*/'",
    ],
)
def test_statement_that_would_commit_is_told(statement: str):
    assert ends_transaction(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT CASE WHEN true THEN 1 END",
        "SELECT commit FROM commits",
        "ROLLBACK",
        "UPDATE t SET note = 'we COMMIT ourselves'",
        "SELECT 1 AS end\nFROM t",
        "PREPARE plan AS SELECT 1",
    ],
)
def test_statement_that_commits_nothing_is_let_through(statement: str):
    assert not ends_transaction(statement)
