"""Anomalies are explained from the rows of their own series, whatever else happens on the same days."""

from collections.abc import Callable
from pathlib import Path

import bills
from comptroller.enums import AnomalyKind
from comptroller.types.anomalies import Anomaly
from faces import Face

QUIET_FROM = 80
SILENT = {"Amazon MSK": lambda day: 0.0 if day >= QUIET_FROM else bills.steady(40)(day)}
GROWING = {"Amazon EC2": bills.spiked(300, range(QUIET_FROM, bills.DAYS), 1.5)}


def carriers(anomaly: Anomaly) -> dict[str, str]:
    return {carrier.dimension: carrier.value for carrier in anomaly.carriers if carrier.dimension != "tag"}


def test_a_drop_is_explained_though_other_spend_grows(face: Face, bill: Callable[..., Path]):
    elsewhere = {"SubAccountId": "account-2", "RegionId": "us-east-1"}
    file = bill("bill.csv", [*bills.rows(SILENT, **elsewhere), *bills.rows(GROWING)])
    found = face.scan(file).detection.found
    (drop,) = [one.anomaly for one in found if one.anomaly.kind is AnomalyKind.DROP]
    assert carriers(drop)["account"] == "account-2"
    assert carriers(drop)["region"] == "us-east-1"
    assert "account account-2" in drop.description


def test_the_explanation_is_on_record_and_stays(face: Face, bill: Callable[..., Path]):
    spiked = {"Amazon EC2": bills.spiked(200, (85,), 6)}
    file = bill(
        "bill.csv", [*bills.rows(spiked), *bills.rows({"Amazon S3": bills.steady(90)}, SubAccountId="account-2")]
    )
    (told,) = face.scan(file).detection.found
    assert carriers(told.anomaly)["account"] == "account-1"
    (kept,) = face.do("anomalies.list")
    assert (kept.description, kept.carriers) == (told.anomaly.description, told.anomaly.carriers)
