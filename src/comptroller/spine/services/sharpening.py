"""Explain the gravest changed anomalies from the rows of their own series, not from everybody's sums."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from comptroller.domains.analytics.driver.slices import Cell, other_dimensions, read_slice, sliceable
from comptroller.domains.analytics.driver.spend import NONE
from comptroller.domains.analytics.engine.drafts import AnomalyDraft, Carrier, describe
from comptroller.domains.analytics.engine.explain import explain_slice
from comptroller.domains.analytics.engine.observation import SeriesKey, step_of, step_start
from comptroller.enums import CostMetric, Dimension, Grain
from comptroller.spine.services.findings import Finding
from comptroller.spine.services.judging import Verdict
from comptroller.types.anomalies import Change

# Each reads rows; the gravest are what people open first.
EXPLAINED_MAX: Final = 8
_BASE_DAYS: Final = 28
# That no model and no user is named is the rule for most services: it explains nothing.
_UNTOLD: Final = frozenset({Dimension.MODEL, Dimension.USER})


@dataclass(frozen=True, slots=True)
class Want:
    """A slice that an anomaly asks for."""

    anomaly_id: str
    key: SeriesKey
    start: date
    end: date


def wanted(verdict: Verdict) -> list[Want]:
    """Return the slices that the gravest changed anomalies need."""
    changed = [finding for finding in verdict.findings if finding.change is not Change.UNCHANGED]
    drafts = [f.draft for f in changed if f.draft.grain is Grain.DAY and sliceable(f.draft.primary.dimension)]
    return [_want(draft) for draft in drafts[:EXPLAINED_MAX]]


def _want(draft: AnomalyDraft) -> Want:
    start, end = step_start(draft.start - _BASE_DAYS).date(), step_start(draft.end).date()
    return Want(draft.anomaly_id, draft.primary, start, end)


def read_slices(session: Session, tenant_id: str, wants: list[Want], *, metric: CostMetric) -> dict[str, list[Cell]]:
    """Return the cells of each anomaly; one whose slice is too large is left out."""
    read: dict[str, list[Cell]] = {}
    for want in wants:
        cells = read_slice(
            session, tenant_id, metric=metric, dimension=want.key.dimension, value=want.key.value,
            currency=want.key.currency, start=want.start, end=want.end,
        )  # fmt: skip
        if cells is not None:
            read[want.anomaly_id] = cells
    return read


def sharpen(verdict: Verdict, slices: Mapping[str, list[Cell]]) -> Verdict:
    """Return the verdict with its explanations taken from the slices, where they explain at least as much."""
    findings = [
        _sharpened(f, slices[f.draft.anomaly_id]) if f.draft.anomaly_id in slices else f for f in verdict.findings
    ]
    return replace(verdict, findings=findings)


def _sharpened(finding: Finding, cells: list[Cell]) -> Finding:
    draft = finding.draft
    keys, quanta, first = _series(draft, cells)
    if not keys:
        return finding
    sharp = explain_slice(draft, keys, quanta, first)
    draft = replace(draft, carriers=_merged(sharp, draft.carriers))
    return replace(finding, draft=draft, description=describe(draft))


def _series(draft: AnomalyDraft, cells: list[Cell]) -> tuple[list[SeriesKey], NDArray[np.int64], int]:
    """Sum the cells to one series per value of each other dimension."""
    first = draft.start - _BASE_DAYS
    sums: dict[SeriesKey, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    currency = draft.primary.currency
    for cell in cells:
        for dimension, value in zip(other_dimensions(draft.primary.dimension), cell.values, strict=True):
            if value == NONE and dimension in _UNTOLD:
                continue
            sums[SeriesKey(dimension, value, currency)][step_of(cell.day) - first] += cell.quanta
    quanta = np.zeros((len(sums), draft.end - first), dtype=np.int64)
    for row, days in enumerate(sums.values()):
        for step, amount in days.items():
            quanta[row, step] = amount
    return list(sums), quanta, first


def _merged(sharp: tuple[Carrier, ...], known: tuple[Carrier, ...]) -> tuple[Carrier, ...]:
    """Take each axis from the slice; tags, which rows do not carry in a column, stay as the series named them."""
    axes = {carrier.key.axis for carrier in sharp}
    kept = [c for c in known if c.key.dimension is Dimension.TAG and c.key.axis not in axes]
    return tuple(sorted([*sharp, *kept], key=lambda carrier: (carrier.key.axis, -carrier.share, carrier.key)))
