"""Closed sets of words; the database's check constraints list the same members."""

from enum import StrEnum


class Severity(StrEnum):
    """How much an incident matters, the gravest first."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


class BreachType(StrEnum):
    """How a limit was crossed (contract: record_limit_breach)."""

    BREACHED = "BREACHED"
    EXHAUSTED = "EXHAUSTED"
    THROTTLED = "THROTTLED"
    VIOLATED = "VIOLATED"


class IncidentStatus(StrEnum):
    """Where an incident stands in its life."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    SUPPRESSED = "suppressed"
    MERGED = "merged"


class SuppressedReason(StrEnum):
    """Why an anomaly's incident is on record without a notice."""

    PLANNED = "planned"
    MUTED = "muted"
    BELOW_THRESHOLD = "below_threshold"


class AnomalyKind(StrEnum):
    """What the detector saw; stored as the contract's open ``anomaly_type`` word."""

    SPIKE = "SPIKE"
    BURST = "BURST"
    SHIFT = "SHIFT"
    DRIFT = "DRIFT"
    DROP = "DROP"
    NEW_SPEND = "NEW_SPEND"
    BUDGET_WARNING = "BUDGET_WARNING"
    BUDGET_EXCEEDED = "BUDGET_EXCEEDED"
    BUDGET_FORECAST = "BUDGET_FORECAST"


class Feedback(StrEnum):
    """What a person said of an anomaly; read by the next detection run only."""

    TRUE = "true"
    FALSE = "false"
    PLANNED = "planned"


class Sensitivity(StrEnum):
    """How many false alarms are tolerated: 0.2 (normal) or 1.0 (high) per 1,000 series-days."""

    NORMAL = "normal"
    HIGH = "high"


class CostMetric(StrEnum):
    """Which of FOCUS's cost columns is read."""

    EFFECTIVE = "effective"
    BILLED = "billed"
    LIST = "list"
    CONTRACTED = "contracted"


class ChargeCategory(StrEnum):
    """FOCUS ChargeCategory; only Usage is judged."""

    USAGE = "Usage"
    PURCHASE = "Purchase"
    TAX = "Tax"
    CREDIT = "Credit"
    ADJUSTMENT = "Adjustment"


class Dimension(StrEnum):
    """The dimensions along which cost becomes series; ``total`` is one series per currency."""

    TOTAL = "total"
    SERVICE = "service"
    ACCOUNT = "account"
    REGION = "region"
    MODEL = "model"
    USER = "user"
    TEAM = "team"
    TAG = "tag"


class ThresholdJoin(StrEnum):
    """How an amount and a percentage that gate notices are joined."""

    AND = "and"
    OR = "or"


class Grain(StrEnum):
    """How long one step of a judged series is."""

    DAY = "day"
    HOUR = "hour"


class Window(StrEnum):
    """The period over which a limit's balance counts."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    RUN = "run"
    LIFETIME = "lifetime"


class LimitMode(StrEnum):
    """What a limit does at its ceiling: refuse, admit and tell, or only write down what it would have done."""

    BLOCK = "block"
    WARN = "warn"
    OBSERVE = "observe"


class RunState(StrEnum):
    """Where a run stands; all but ``running`` are ends."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    LIMIT_EXHAUSTED = "limit_exhausted"
    HALTED = "halted"
    LOST = "lost"


class HoldState(StrEnum):
    """A hold is open until exactly one end."""

    OPEN = "open"
    SETTLED = "settled"
    RELEASED = "released"
    EXPIRED = "expired"


class EntryKind(StrEnum):
    """What a ledger entry records; immutable, unique per (tenant, hold, kind)."""

    RESERVE = "reserve"
    SETTLE = "settle"
    RELEASE = "release"
    EXPIRE = "expire"
    TRUE_UP = "true_up"
    CHARGE = "charge"


class BillFormat(StrEnum):
    """The kinds of cost file that are understood."""

    FOCUS = "focus"
    AWS_CUR = "aws-cur"
    AZURE = "azure"
    USAGE = "usage"
    LITELLM = "litellm"
    LONG_FORM = "long-form"
    TABULAR = "tabular"


class Arrival(StrEnum):
    """How a delivery meets the current one of its billing account and period."""

    COMPLETE = "complete"
    REPLACE = "replace"
    APPEND = "append"


class Role(StrEnum):
    """What a key or a person may do; an agent spends and runs, nothing else."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"
    AGENT = "agent"


class ChannelKind(StrEnum):
    """By which door a notice leaves."""

    WEBHOOK = "webhook"
    MAIL = "mail"
    CHAT = "chat"


class DeliveryState(StrEnum):
    """Where a delivery stands; a joined one is told in the message of another."""

    WAITING = "waiting"
    JOINED = "joined"
    SENT = "sent"
    DEAD = "dead"
