import tomllib
from pathlib import Path

import psycopg
import pytest

from comptroller.cli.app import run
from comptroller.errors import BadFileError
from comptroller.integrations.litellm_limits import read_litellm
from comptroller.spine.services.limit_file import drafts_of
from postgres_keeper import native

BUDGET = "max_budget double precision, budget_duration text, tpm_limit bigint, rpm_limit bigint"
# The columns that matter of LiteLLM's own schema.
SCHEMA = f"""
CREATE TABLE "LiteLLM_VerificationToken" (token text PRIMARY KEY, key_alias text, {BUDGET});
CREATE TABLE "LiteLLM_TeamTable" (team_id text PRIMARY KEY, team_alias text, {BUDGET});
CREATE TABLE "LiteLLM_UserTable" (user_id text PRIMARY KEY, {BUDGET});
CREATE TABLE "LiteLLM_BudgetTable" (budget_id text PRIMARY KEY, {BUDGET});
CREATE TABLE "LiteLLM_EndUserTable" (user_id text PRIMARY KEY, budget_id text);
INSERT INTO "LiteLLM_VerificationToken" VALUES
  ('hash-1', 'ci "bot"', 0.1, '30d', 1000, 60), ('hash-2', NULL, 5, '90s', NULL, NULL),
  ('hash-3', 'free', NULL, NULL, NULL, NULL);
INSERT INTO "LiteLLM_TeamTable" VALUES ('t1', 'research', 500, '7d', NULL, NULL);
INSERT INTO "LiteLLM_UserTable" VALUES ('ana', 20, NULL, NULL, NULL);
INSERT INTO "LiteLLM_BudgetTable" VALUES ('b1', 1.5, '24h', NULL, NULL);
INSERT INTO "LiteLLM_EndUserTable" VALUES ('customer', 'b1'), ('other', NULL);
"""


def test_budgets_become_limits_that_only_observe(empty_postgres_url: str, tmp_path: Path):
    with psycopg.connect(native(empty_postgres_url), autocommit=True) as connection:
        connection.execute(SCHEMA)
    found = read_litellm(empty_postgres_url)
    drafts = {draft.name: draft for draft in drafts_of(tomllib.loads(found.toml))}
    assert {
        name: (draft.ceiling_quanta, draft.unit, draft.every.value, draft.where) for name, draft in drafts.items()
    } == {
        'key-ci "bot"-budget': (100_000_000, "USD", "month", (("key", 'ci "bot"'),)),
        'key-ci "bot"-tokens': (1000, "tokens", "minute", (("key", 'ci "bot"'),)),
        'key-ci "bot"-requests': (60, "requests", "minute", (("key", 'ci "bot"'),)),
        "team-research-budget": (500 * 10**9, "USD", "week", (("team", "research"),)),
        "user-ana-budget": (20 * 10**9, "USD", "lifetime", (("user", "ana"),)),
        "end_user-customer-budget": (1_500_000_000, "USD", "day", (("end_user", "customer"),)),
    }
    assert {draft.mode.value for draft in drafts.values()} == {"observe"}
    assert found.left_out == ("key-hash-2: 5.0 USD every 90s",)
    out = tmp_path / "limits.toml"
    assert run(["limits", "import", "litellm", "--from", empty_postgres_url, "--out", str(out)]) == 0
    assert out.read_text() == found.toml


def test_a_database_that_is_not_litellm_s_is_refused(empty_postgres_url: str):
    with pytest.raises(BadFileError, match="LiteLLM_VerificationToken"):
        read_litellm(empty_postgres_url)
