"""Incidents and anomalies: what people act on, and what they say of it."""

from typing import Final

from comptroller.api import bodies
from comptroller.api.policy import Policy
from comptroller.api.route import Paging, Route
from comptroller.spine.orchestrator import anomalies, incidents
from comptroller.types.anomalies import Anomaly, DetectionReport
from comptroller.types.incidents import Incident

_BY_ID: Final = Paging(lambda one: str(one.id), size="limit")
_ONE: Final = "/v1/incidents/{incident_id}"
_ANOMALY: Final = "/v1/anomalies/{anomaly_id}"

ROUTES: Final = (
    Route(method="GET", path="/v1/incidents", policy=Policy.READ, use_case=incidents.list_incidents,
          query=bodies.IncidentQuery, answer=Incident, paging=_BY_ID),
    Route(method="GET", path=_ONE, policy=Policy.READ, use_case=incidents.get_incident, answer=Incident),
    Route(method="POST", path=f"{_ONE}/acknowledge", policy=Policy.OPERATE, use_case=incidents.acknowledge_incident,
          body=bodies.Note, answer=Incident, keeps_key=True),
    Route(method="POST", path=f"{_ONE}/resolve", policy=Policy.OPERATE, use_case=incidents.resolve_incident,
          body=bodies.Note, answer=Incident, keeps_key=True),
    Route(method="POST", path=f"{_ONE}/reopen", policy=Policy.OPERATE, use_case=incidents.reopen_incident,
          body=bodies.Note, answer=Incident, keeps_key=True),
    Route(method="POST", path=f"{_ONE}/comments", policy=Policy.OPERATE, use_case=incidents.comment_incident,
          body=bodies.Comment, answer=Incident, status=201, keeps_key=True),
    Route(method="GET", path="/v1/anomalies", policy=Policy.READ, use_case=anomalies.list_anomalies,
          query=bodies.AnomalyQuery, answer=Anomaly, paging=_BY_ID),
    Route(method="GET", path=_ANOMALY, policy=Policy.READ, use_case=anomalies.get_anomaly, answer=Anomaly),
    Route(method="POST", path=f"{_ANOMALY}/feedback", policy=Policy.OPERATE, use_case=anomalies.give_feedback,
          body=bodies.FeedbackBody, answer=Anomaly, keeps_key=True),
    Route(method="POST", path="/v1/detections", policy=Policy.OPERATE, use_case=anomalies.detect,
          body=bodies.Detection, answer=DetectionReport),
    Route(method="POST", path="/v1/planned-windows", policy=Policy.OPERATE, use_case=anomalies.plan_window,
          body=bodies.Plan, answer=str, status=201, keeps_key=True),
    Route(method="POST", path="/v1/muted-series", policy=Policy.OPERATE, use_case=anomalies.mute_series,
          body=bodies.Mute, answer=None, status=204, keeps_key=True),
    Route(method="DELETE", path="/v1/muted-series", policy=Policy.OPERATE, use_case=anomalies.unmute_series,
          query=bodies.SeriesQuery, answer=None, status=204),
)  # fmt: skip
