"""Command lines run in this process, on a database of the test's own."""

import json
import sqlite3
from contextlib import closing

import pytest

import bills
from comptroller.cli.app import run

SERVICES = {"Amazon EC2": bills.spiked(200, (80, 81), 5), "Amazon S3": bills.steady(50)}


class Command:
    """Runs command lines on a database of the test's own."""

    def __init__(self, database: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.database = database
        self._capsys = capsys
        self.out = self.err = ""

    def __call__(self, *tokens: object, database: str | None = None) -> int:
        words = [str(token) for token in tokens]
        status = run([*words, "--database", database or self.database])
        self.out, self.err = self._capsys.readouterr()
        return status

    def json(self, *tokens: object) -> object:
        """Return a command's answer for machines."""
        assert self(*tokens, "--format", "json") == 0
        return json.loads(self.out)

    def refused(self, *tokens: object, database: str | None = None) -> str:
        """Return the one line by which a command says why it could not do it."""
        assert self(*tokens, database=database) == 2
        assert self.out == ""
        assert self.err.startswith("comptroller: ")
        assert self.err.count("\n") == 1
        return self.err


def contents(url: str) -> list[str]:
    """Return every row of an SQLite database."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        return [line for line in connection.iterdump() if line.startswith("INSERT")]
