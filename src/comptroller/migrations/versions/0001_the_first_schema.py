"""Make every table of the first schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "anomalies",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("dimension", sa.String(length=16), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=8), nullable=False),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("grain", sa.String(length=8), nullable=False),
        sa.Column("direction", sa.SmallInteger(), nullable=False),
        sa.Column("actual_quanta", sa.BigInteger(), nullable=False),
        sa.Column("expected_quanta", sa.BigInteger(), nullable=False),
        sa.Column("low_quanta", sa.BigInteger(), nullable=False),
        sa.Column("high_quanta", sa.BigInteger(), nullable=False),
        sa.Column("stake_quanta", sa.BigInteger(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("team", sa.Text(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column(
            "explanation",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("suppressed_reason", sa.String(length=32), nullable=True),
        sa.Column("feedback", sa.String(length=16), nullable=True),
        sa.Column("feedback_by", sa.String(length=255), nullable=True),
        sa.Column("feedback_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("merged_into", sa.String(length=255), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("feedback IN ('true', 'false', 'planned')", name=op.f("ck_anomalies_feedback")),
        sa.CheckConstraint("grain IN ('day', 'hour')", name=op.f("ck_anomalies_grain")),
        sa.CheckConstraint("severity IN ('CRITICAL', 'HIGH', 'MEDIUM', 'LOW')", name=op.f("ck_anomalies_severity")),
        sa.CheckConstraint(
            "suppressed_reason IN ('planned', 'muted', 'below_threshold')", name=op.f("ck_anomalies_suppressed_reason")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_anomalies")),
    )
    op.create_index(op.f("ix_anomalies_tenant_id_end_at"), "anomalies", ["tenant_id", "end_at"], unique=False)
    op.create_index(op.f("ix_anomalies_tenant_id_merged_into"), "anomalies", ["tenant_id", "merged_into"], unique=False)
    op.create_table(
        "api_keys",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("pepper_id", sa.String(length=16), nullable=False),
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("prefix", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('viewer', 'operator', 'admin', 'agent')", name=op.f("ck_api_keys_role")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_api_keys")),
    )
    op.create_index("uq_api_keys_id", "api_keys", ["tenant_id", "id"], unique=True)
    op.create_table(
        "audit_entries",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("object_type", sa.String(length=64), nullable=False),
        sa.Column("object_id", sa.String(length=255), nullable=False),
        sa.Column(
            "detail",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_audit_entries")),
    )
    op.create_index(
        op.f("ix_audit_entries_tenant_id_object_type_object_id"),
        "audit_entries",
        ["tenant_id", "object_type", "object_id"],
        unique=False,
    )
    op.create_table(
        "catalogue_prices",
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=255), nullable=False),
        sa.Column("model", sa.String(length=255), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("min_input_tokens", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("input_per_million", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=True),
        sa.Column("output_per_million", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=True),
        sa.Column("cache_read_per_million", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=True),
        sa.Column("cache_write_per_million", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=True),
        sa.Column("per_request", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("currency", sa.String(length=8), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "version", "provider", "model", "valid_from", "min_input_tokens", name=op.f("pk_catalogue_prices")
        ),
    )
    op.create_table(
        "channels",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("target_sealed", sa.Text(), nullable=False),
        sa.Column("target_shown", sa.Text(), nullable=False),
        sa.Column(
            "rules",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("allows_private", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('webhook', 'mail', 'chat')", name=op.f("ck_channels_kind")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_channels")),
    )
    op.create_index(
        "uq_channels_name",
        "channels",
        ["tenant_id", "name"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL"),
        sqlite_where=sa.text("removed_at IS NULL"),
    )
    op.create_table(
        "cost_deliveries",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("source", sa.String(length=255), nullable=False),
        sa.Column("billing_account", sa.String(length=255), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("format", sa.String(length=32), nullable=False),
        sa.Column(
            "files",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("bad_count", sa.BigInteger(), nullable=False),
        sa.Column(
            "rounding",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_cost_deliveries")),
    )
    op.create_index(
        "uq_cost_deliveries_current",
        "cost_deliveries",
        ["tenant_id", "source", "billing_account", "period_start", "part"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
        sqlite_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "cost_rows",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("delivery_id", sa.String(length=255), nullable=False),
        sa.Column("row_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("charge_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("charge_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("charge_category", sa.String(length=16), nullable=False),
        sa.Column("charge_class", sa.String(length=16), nullable=True),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("billing_account", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("resource_id", sa.Text(), nullable=True),
        sa.Column("sku_id", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("key_alias", sa.Text(), nullable=True),
        sa.Column("tags", sa.Text(), nullable=True),
        sa.Column("currency", sa.String(length=8), nullable=False),
        sa.Column("billed_cost", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("effective_cost", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("list_cost", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=True),
        sa.Column("contracted_cost", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=True),
        sa.Column("billed_quanta", sa.BigInteger(), nullable=False),
        sa.Column("effective_quanta", sa.BigInteger(), nullable=False),
        sa.Column("list_quanta", sa.BigInteger(), nullable=True),
        sa.Column("contracted_quanta", sa.BigInteger(), nullable=True),
        sa.Column("consumed_quantity", sa.Text(), nullable=True),
        sa.Column("consumed_unit", sa.Text(), nullable=True),
        sa.Column("input_tokens", sa.BigInteger(), nullable=True),
        sa.Column("output_tokens", sa.BigInteger(), nullable=True),
        sa.Column("price_version", sa.Text(), nullable=True),
        sa.Column("usage_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "delivery_id", "row_no", name=op.f("pk_cost_rows")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "daily_costs",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("delivery_id", sa.String(length=255), nullable=False),
        sa.Column("dimension", sa.String(length=16), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("charge_category", sa.String(length=16), nullable=False),
        sa.Column("currency", sa.String(length=8), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("billed_quanta", sa.BigInteger(), nullable=False),
        sa.Column("effective_quanta", sa.BigInteger(), nullable=False),
        sa.Column("list_quanta", sa.BigInteger(), nullable=True),
        sa.Column("contracted_quanta", sa.BigInteger(), nullable=True),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id",
            "delivery_id",
            "dimension",
            "value",
            "charge_category",
            "currency",
            "day",
            name=op.f("pk_daily_costs"),
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "deliveries",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("channel_id", sa.String(length=255), nullable=False),
        sa.Column("notice_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=255), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column(
            "body",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("message_id", sa.String(length=255), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_by", sa.String(length=255), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("repeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("severity IN ('CRITICAL', 'HIGH', 'MEDIUM', 'LOW')", name=op.f("ck_deliveries_severity")),
        sa.CheckConstraint("state IN ('waiting', 'joined', 'sent', 'dead')", name=op.f("ck_deliveries_state")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint(
            "tenant_id", "notice_id", "channel_id", name=op.f("uq_deliveries_tenant_id_notice_id_channel_id")
        ),
    )
    op.create_index(
        "ix_deliveries_joined",
        "deliveries",
        ["tenant_id", "message_id"],
        unique=False,
        postgresql_where=sa.text("message_id IS NOT NULL"),
        sqlite_where=sa.text("message_id IS NOT NULL"),
    )
    op.create_index(
        "ix_deliveries_repeat",
        "deliveries",
        ["tenant_id", "repeat_at"],
        unique=False,
        postgresql_where=sa.text("repeat_at IS NOT NULL"),
        sqlite_where=sa.text("repeat_at IS NOT NULL"),
    )
    op.create_index(
        "ix_deliveries_subject",
        "deliveries",
        ["tenant_id", "channel_id", "subject_id", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
        sqlite_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_deliveries_waiting",
        "deliveries",
        ["tenant_id", "channel_id", "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
        sqlite_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "entries",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("hold_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("step", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("route_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("runs", sa.SmallInteger(), nullable=False),
        sa.Column("is_estimated", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("price_version", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('reserve', 'settle', 'release', 'expire', 'true_up', 'charge')", name=op.f("ck_entries_kind")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "hold_id", "step", name=op.f("pk_entries")),
    )
    op.create_table(
        "hold_keys",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("hold_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", name=op.f("pk_hold_keys")),
    )
    op.create_table(
        "hourly_costs",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("delivery_id", sa.String(length=255), nullable=False),
        sa.Column("dimension", sa.String(length=16), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("charge_category", sa.String(length=16), nullable=False),
        sa.Column("currency", sa.String(length=8), nullable=False),
        sa.Column("hour_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("billed_quanta", sa.BigInteger(), nullable=False),
        sa.Column("effective_quanta", sa.BigInteger(), nullable=False),
        sa.Column("list_quanta", sa.BigInteger(), nullable=True),
        sa.Column("contracted_quanta", sa.BigInteger(), nullable=True),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id",
            "delivery_id",
            "dimension",
            "value",
            "charge_category",
            "currency",
            "hour_at",
            name=op.f("pk_hourly_costs"),
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "incidents",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("source_type", sa.String(length=64), nullable=False),
        sa.Column("anomaly_id", sa.String(length=255), nullable=True),
        sa.Column("anomaly_type", sa.String(length=64), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("suppressed_reason", sa.String(length=32), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("current_value_cents", sa.BigInteger(), nullable=False),
        sa.Column("expected_value_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=8), nullable=False),
        sa.Column("entity_type", sa.String(length=255), nullable=True),
        sa.Column("entity_id", sa.String(length=255), nullable=True),
        sa.Column("merged_into", sa.String(length=255), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("severity IN ('CRITICAL', 'HIGH', 'MEDIUM', 'LOW')", name=op.f("ck_incidents_severity")),
        sa.CheckConstraint(
            "status IN ('open', 'acknowledged', 'resolved', 'suppressed', 'merged')", name=op.f("ck_incidents_status")
        ),
        sa.CheckConstraint(
            "suppressed_reason IN ('planned', 'muted', 'below_threshold')", name=op.f("ck_incidents_suppressed_reason")
        ),
        sa.CheckConstraint("current_value_cents >= 0 AND expected_value_cents >= 0", name=op.f("ck_incidents_cents")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_incidents")),
        sa.UniqueConstraint("tenant_id", "anomaly_id", name=op.f("uq_incidents_tenant_id_anomaly_id")),
    )
    op.create_index(
        op.f("ix_incidents_tenant_id_opened_at_id"), "incidents", ["tenant_id", "opened_at", "id"], unique=False
    )
    op.create_index(
        op.f("ix_incidents_tenant_id_status_opened_at"), "incidents", ["tenant_id", "status", "opened_at"], unique=False
    )
    op.create_table(
        "jobs",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_by", sa.String(length=255), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("succeeded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("seen", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("pk_jobs")),
    )
    op.create_table(
        "kill_switches",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column(
            "scope",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("scope_key", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.String(length=255), nullable=True),
        sa.Column("lift_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_kill_switches")),
    )
    op.create_index(
        op.f("ix_kill_switches_tenant_id_lifted_at_expires_at"),
        "kill_switches",
        ["tenant_id", "lifted_at", "expires_at"],
        unique=False,
    )
    op.create_table(
        "limits",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.Column("ceiling_quanta", sa.BigInteger(), nullable=False),
        sa.Column("every", sa.String(length=16), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column(
            "scope",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "per",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "require",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column(
            "warn_at",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("opens_incident", sa.Boolean(), nullable=False),
        sa.Column("builtin", sa.Boolean(), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("effective_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_in", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "every IN ('minute', 'hour', 'day', 'week', 'month', 'quarter', 'year', 'run', 'lifetime')",
            name=op.f("ck_limits_every"),
        ),
        sa.CheckConstraint("mode IN ('block', 'warn', 'observe')", name=op.f("ck_limits_mode")),
        sa.CheckConstraint("builtin OR ceiling_quanta > 0", name=op.f("ck_limits_ceiling")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_limits")),
    )
    op.create_index(op.f("ix_limits_tenant_id_changed_in"), "limits", ["tenant_id", "changed_in"], unique=False)
    op.create_index(
        "uq_limits_name",
        "limits",
        ["tenant_id", "name"],
        unique=True,
        postgresql_where=sa.text("archived_at IS NULL"),
        sqlite_where=sa.text("archived_at IS NULL"),
    )
    op.create_table(
        "login_attempts",
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_login_attempts")),
    )
    op.create_table(
        "login_sessions",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("csrf_digest", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_login_sessions")),
    )
    op.create_index(op.f("ix_login_sessions_email"), "login_sessions", ["email"], unique=False)
    op.create_index(op.f("ix_login_sessions_expires_at"), "login_sessions", ["expires_at"], unique=False)
    op.create_table(
        "muted_series",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("dimension", sa.String(length=16), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "dimension", "value", name=op.f("pk_muted_series")),
    )
    op.create_table(
        "one_time_links",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_one_time_links")),
    )
    op.create_index(op.f("ix_one_time_links_email"), "one_time_links", ["email"], unique=False)
    op.create_table(
        "open_holds",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_unsent", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_open_holds")),
    )
    op.create_table(
        "outbox",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=255), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column(
            "payload",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_outbox")),
    )
    op.create_index(
        "ix_outbox_waiting",
        "outbox",
        ["tenant_id", "id"],
        unique=False,
        postgresql_where=sa.text("dispatched_at IS NULL"),
        sqlite_where=sa.text("dispatched_at IS NULL"),
    )
    op.create_table(
        "owner_rules",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("field", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "position", name=op.f("pk_owner_rules")),
    )
    op.create_table(
        "planned_windows",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column(
            "scope",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("start_on", sa.Date(), nullable=False),
        sa.Column("end_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_planned_windows")),
    )
    op.create_table(
        "price_overrides",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("version", sa.String(length=255), nullable=False),
        sa.Column("provider", sa.String(length=255), nullable=False),
        sa.Column("model", sa.String(length=255), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("input_per_million", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("output_per_million", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("cache_read_per_million", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=True),
        sa.Column("cache_write_per_million", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=True),
        sa.Column("currency", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "version", name=op.f("pk_price_overrides")),
    )
    op.create_table(
        "request_keys",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", name=op.f("pk_request_keys")),
    )
    op.create_table(
        "routes",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("currency", sa.String(length=8), nullable=True),
        sa.Column("run_id", sa.String(length=255), nullable=True),
        sa.Column(
            "dimensions",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "balances",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("is_ungoverned", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_routes")),
    )
    op.create_table(
        "runs",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column(
            "dimensions",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column(
            "ceilings",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("iterations", sa.BigInteger(), nullable=False),
        sa.Column("hold_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.CheckConstraint(
            "state IN ('running', 'completed', 'failed', 'limit_exhausted', 'halted', 'lost')",
            name=op.f("ck_runs_state"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_runs")),
    )
    op.create_index(
        op.f("ix_runs_tenant_id_state_heartbeat_at"), "runs", ["tenant_id", "state", "heartbeat_at"], unique=False
    )
    op.create_table(
        "sources",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("format", sa.String(length=32), nullable=True),
        sa.Column("every_seconds", sa.Integer(), nullable=False),
        sa.Column("stale_seconds", sa.Integer(), nullable=False),
        sa.Column("news_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_sources")),
    )
    op.create_index(
        "uq_sources_name",
        "sources",
        ["tenant_id", "name"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL"),
        sqlite_where=sa.text("removed_at IS NULL"),
    )
    op.create_table(
        "tenant_policies",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("requires_limit", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_tenant_policies")),
    )
    op.create_table(
        "tenants",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_home", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_tenants")),
    )
    op.create_table(
        "users",
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('viewer', 'operator', 'admin', 'agent')", name=op.f("ck_users_role")),
        sa.PrimaryKeyConstraint("email", name=op.f("pk_users")),
    )
    op.create_index(op.f("ix_users_tenant_id_email"), "users", ["tenant_id", "email"], unique=False)
    op.create_table(
        "anomaly_series",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("anomaly_id", sa.String(length=255), nullable=False),
        sa.Column("dimension", sa.String(length=16), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("stake_quanta", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "anomaly_id"],
            ["anomalies.tenant_id", "anomalies.id"],
            name=op.f("fk_anomaly_series_tenant_id_anomaly_id_anomalies"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "anomaly_id", "dimension", "value", name=op.f("pk_anomaly_series")),
    )
    op.create_table(
        "balances",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("limit_id", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("window_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("held >= 0", name=op.f("ck_balances_held")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "limit_id"],
            ["limits.tenant_id", "limits.id"],
            name=op.f("fk_balances_tenant_id_limit_id_limits"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_balances")),
    )
    op.create_index(
        op.f("ix_balances_tenant_id_limit_id_window_start"),
        "balances",
        ["tenant_id", "limit_id", "window_start"],
        unique=False,
    )
    op.create_table(
        "incident_events",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("incident_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "detail",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("content_hash", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"],
            ["incidents.tenant_id", "incidents.id"],
            name=op.f("fk_incident_events_tenant_id_incident_id_incidents"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_incident_events")),
        sa.UniqueConstraint(
            "tenant_id",
            "incident_id",
            "content_hash",
            name=op.f("uq_incident_events_tenant_id_incident_id_content_hash"),
        ),
    )
    op.create_table(
        "limit_breaches",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("limit_id", sa.String(length=255), nullable=False),
        sa.Column("breach_type", sa.String(length=16), nullable=False),
        sa.Column("value_at_breach", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("limit_value", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.String(length=255), nullable=True),
        sa.Column("incident_id", sa.String(length=255), nullable=True),
        sa.Column(
            "details",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
        ),
        sa.Column("dedup_key", sa.String(length=64), nullable=True),
        sa.Column("occurrences", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "breach_type IN ('BREACHED', 'EXHAUSTED', 'THROTTLED', 'VIOLATED')",
            name=op.f("ck_limit_breaches_breach_type"),
        ),
        sa.CheckConstraint("occurrences > 0", name=op.f("ck_limit_breaches_occurrences")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"],
            ["incidents.tenant_id", "incidents.id"],
            name=op.f("fk_limit_breaches_tenant_id_incident_id_incidents"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "limit_id"],
            ["limits.tenant_id", "limits.id"],
            name=op.f("fk_limit_breaches_tenant_id_limit_id_limits"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_limit_breaches")),
        sa.UniqueConstraint("tenant_id", "dedup_key", name=op.f("uq_limit_breaches_tenant_id_dedup_key")),
    )
    op.create_index(
        op.f("ix_limit_breaches_tenant_id_limit_id_recorded_at"),
        "limit_breaches",
        ["tenant_id", "limit_id", "recorded_at"],
        unique=False,
    )
    op.create_table(
        "limit_overrides",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("limit_id", sa.String(length=255), nullable=False),
        sa.Column("ceiling_quanta", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("ceiling_quanta > 0", name=op.f("ck_limit_overrides_ceiling")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "limit_id"],
            ["limits.tenant_id", "limits.id"],
            name=op.f("fk_limit_overrides_tenant_id_limit_id_limits"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_limit_overrides")),
    )
    op.create_index(
        op.f("ix_limit_overrides_tenant_id_limit_id_expires_at"),
        "limit_overrides",
        ["tenant_id", "limit_id", "expires_at"],
        unique=False,
    )
    op.create_table(
        "limit_versions",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("limit_id", sa.String(length=255), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "content",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.String(length=255), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "limit_id"],
            ["limits.tenant_id", "limits.id"],
            name=op.f("fk_limit_versions_tenant_id_limit_id_limits"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "limit_id", "version", name=op.f("pk_limit_versions")),
    )
    op.create_table(
        "limit_warnings",
        sa.Column("tenant_id", sa.String(length=255), nullable=False),
        sa.Column("limit_id", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("threshold", sa.String(length=64), nullable=False),
        sa.Column("spent_quanta", sa.BigInteger(), nullable=False),
        sa.Column("crossed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "limit_id"],
            ["limits.tenant_id", "limits.id"],
            name=op.f("fk_limit_warnings_tenant_id_limit_id_limits"),
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "limit_id", "subject", "window_start", "threshold", name=op.f("pk_limit_warnings")
        ),
    )


def downgrade() -> None:
    op.drop_table("limit_warnings")
    op.drop_table("limit_versions")
    op.drop_index(op.f("ix_limit_overrides_tenant_id_limit_id_expires_at"), table_name="limit_overrides")
    op.drop_table("limit_overrides")
    op.drop_index(op.f("ix_limit_breaches_tenant_id_limit_id_recorded_at"), table_name="limit_breaches")
    op.drop_table("limit_breaches")
    op.drop_table("incident_events")
    op.drop_index(op.f("ix_balances_tenant_id_limit_id_window_start"), table_name="balances")
    op.drop_table("balances")
    op.drop_table("anomaly_series")
    op.drop_index(op.f("ix_users_tenant_id_email"), table_name="users")
    op.drop_table("users")
    op.drop_table("tenants")
    op.drop_table("tenant_policies")
    op.drop_index(
        "uq_sources_name",
        table_name="sources",
        postgresql_where=sa.text("removed_at IS NULL"),
        sqlite_where=sa.text("removed_at IS NULL"),
    )
    op.drop_table("sources")
    op.drop_index(op.f("ix_runs_tenant_id_state_heartbeat_at"), table_name="runs")
    op.drop_table("runs")
    op.drop_table("routes")
    op.drop_table("request_keys")
    op.drop_table("price_overrides")
    op.drop_table("planned_windows")
    op.drop_table("owner_rules")
    op.drop_index(
        "ix_outbox_waiting",
        table_name="outbox",
        postgresql_where=sa.text("dispatched_at IS NULL"),
        sqlite_where=sa.text("dispatched_at IS NULL"),
    )
    op.drop_table("outbox")
    op.drop_table("open_holds")
    op.drop_index(op.f("ix_one_time_links_email"), table_name="one_time_links")
    op.drop_table("one_time_links")
    op.drop_table("muted_series")
    op.drop_index(op.f("ix_login_sessions_expires_at"), table_name="login_sessions")
    op.drop_index(op.f("ix_login_sessions_email"), table_name="login_sessions")
    op.drop_table("login_sessions")
    op.drop_table("login_attempts")
    op.drop_index(
        "uq_limits_name",
        table_name="limits",
        postgresql_where=sa.text("archived_at IS NULL"),
        sqlite_where=sa.text("archived_at IS NULL"),
    )
    op.drop_index(op.f("ix_limits_tenant_id_changed_in"), table_name="limits")
    op.drop_table("limits")
    op.drop_index(op.f("ix_kill_switches_tenant_id_lifted_at_expires_at"), table_name="kill_switches")
    op.drop_table("kill_switches")
    op.drop_table("jobs")
    op.drop_index(op.f("ix_incidents_tenant_id_status_opened_at"), table_name="incidents")
    op.drop_index(op.f("ix_incidents_tenant_id_opened_at_id"), table_name="incidents")
    op.drop_table("incidents")
    op.drop_table("hourly_costs")
    op.drop_table("hold_keys")
    op.drop_table("entries")
    op.drop_index(
        "ix_deliveries_waiting",
        table_name="deliveries",
        postgresql_where=sa.text("state = 'waiting'"),
        sqlite_where=sa.text("state = 'waiting'"),
    )
    op.drop_index(
        "ix_deliveries_subject",
        table_name="deliveries",
        postgresql_where=sa.text("state = 'waiting'"),
        sqlite_where=sa.text("state = 'waiting'"),
    )
    op.drop_index(
        "ix_deliveries_repeat",
        table_name="deliveries",
        postgresql_where=sa.text("repeat_at IS NOT NULL"),
        sqlite_where=sa.text("repeat_at IS NOT NULL"),
    )
    op.drop_index(
        "ix_deliveries_joined",
        table_name="deliveries",
        postgresql_where=sa.text("message_id IS NOT NULL"),
        sqlite_where=sa.text("message_id IS NOT NULL"),
    )
    op.drop_table("deliveries")
    op.drop_table("daily_costs")
    op.drop_table("cost_rows")
    op.drop_index(
        "uq_cost_deliveries_current",
        table_name="cost_deliveries",
        postgresql_where=sa.text("superseded_at IS NULL"),
        sqlite_where=sa.text("superseded_at IS NULL"),
    )
    op.drop_table("cost_deliveries")
    op.drop_index(
        "uq_channels_name",
        table_name="channels",
        postgresql_where=sa.text("removed_at IS NULL"),
        sqlite_where=sa.text("removed_at IS NULL"),
    )
    op.drop_table("channels")
    op.drop_table("catalogue_prices")
    op.drop_index(op.f("ix_audit_entries_tenant_id_object_type_object_id"), table_name="audit_entries")
    op.drop_table("audit_entries")
    op.drop_index("uq_api_keys_id", table_name="api_keys")
    op.drop_table("api_keys")
    op.drop_index(op.f("ix_anomalies_tenant_id_merged_into"), table_name="anomalies")
    op.drop_index(op.f("ix_anomalies_tenant_id_end_at"), table_name="anomalies")
    op.drop_table("anomalies")
