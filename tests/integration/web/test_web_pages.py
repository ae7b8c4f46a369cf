import hashlib
import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import event, text

from comptroller.spine.drivers.cross_domain import create_incident_from_cost_anomaly_sync
from comptroller.spine.orchestrator import incidents, ingestion, kills, limits, notices, spend
from comptroller.spine.orchestrator.operation import operation
from comptroller.web.rendering import STATIC, static_files, static_path
from receivers import webhook_receiver
from sites import SiteServed, Visitor

PAGES = ["/", "/spend", "/limits", "/incidents", "/anomalies", "/runs", "/breaches", "/audit", "/settings"]
FIRST_PARTY = {"app.css", "live.js", "icon.svg"}


@operation
def open_many(session: Any, caller: Any, count: int) -> list[str]:
    return [
        create_incident_from_cost_anomaly_sync(
            session, caller.tenant, f"a{number}", "SPIKE", "HIGH", 31000, 7400, "agent", f"crawler-{number}",
            f"crawler {number} runs <b>away</b>",
        )
        for number in range(count)
    ]  # fmt: skip


def fill(site: SiteServed, folder: Path, count: int) -> str:
    """Give the tenant some of everything; returns an incident's id."""
    ids: list[str] = site.do(open_many, "acme", count)
    for number in range(count):
        limit = site.do(limits.create_limit, "acme", f"limit {number}", ceiling="5 USD", every="day")
        said = {"breach_type": "BREACHED", "value_at_breach": Decimal(6), "limit_value": Decimal(5)}
        site.do(spend.record_breach, "acme", limit.id, details={"reason": "<i>x</i>"}, **said)
    site.do(kills.kill, "acme", where={"agent": "crawler"}, why="<script>alert(1)</script>")
    bill = folder / "bill.csv"
    rows = [f"2026-03-{day:02d},S{number},{number + day}\n" for day in range(1, 29) for number in range(count)]
    bill.write_text("day,service,cost\n" + "".join(rows))
    columns = {"time": "day", "service": "service", "cost": "cost"}
    site.do(ingestion.ingest, "acme", bill, column_map=columns)
    return ids[0]


def test_every_page_teaches_the_next_step_when_there_is_nothing(site: SiteServed):
    visitor = site.visitor()
    for path in PAGES:
        answer = visitor.get(path)
        assert answer.status_code == 200, (path, answer.text)
        assert 'class="empty"' in answer.text or path == "/audit"


def test_every_page_shows_what_is_there_and_escapes_it(site: SiteServed, tmp_path: Path):
    incident_id = fill(site, tmp_path, 3)
    visitor = site.visitor()
    for path in [*PAGES, f"/incidents/{incident_id}", "/kill?where=agent%3Dcrawler", "/limits/limit%200"]:
        answer = visitor.get(path)
        assert answer.status_code == 200, (path, answer.text)
        assert not re.search(r"<b>away|<script>alert|<i>x</i>", answer.text), path
    assert "crawler 0 runs &lt;b&gt;away" in visitor.get("/").text
    assert "S2" in visitor.get("/spend?days=28").text


def test_pages_run_no_script_and_no_style_but_their_own(site: SiteServed, tmp_path: Path):
    incident_id = fill(site, tmp_path, 1)
    visitor = site.visitor()
    nonces = set()
    for path in [*PAGES, f"/incidents/{incident_id}", "/login", "/welcome?token=x"]:
        answer = visitor.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        nonce = re.search(r"'nonce-([^']+)'", policy)
        assert nonce is not None
        nonces.add(nonce[1])
        scripts = re.findall(r"<script[^>]*>(.*?)</script>", answer.text, re.DOTALL)
        assert all(body == "" for body in scripts)
        assert len(scripts) == len(re.findall(rf'<script nonce="{re.escape(nonce[1])}" src="/static/', answer.text))
        assert not re.search(r"\son\w+=|\sstyle=|javascript:|(?:src|href)=.https?:", answer.text), path
        assert answer.headers["cache-control"] == "no-store"
    assert len(nonces) == len(PAGES) + 3


def test_a_table_that_is_not_there_shows_unavailable_and_never_zero(site: SiteServed):
    visitor = site.visitor()
    before = visitor.get("/").text
    assert "unavailable" not in before
    drop(site, "limit_breaches")
    drop(site, "hourly_costs")
    drop(site, "daily_costs")
    after = visitor.get("/")
    assert after.status_code == 200
    assert after.text.count('class="unavailable"') == 2
    for part in ("Refused, last day", "Bills, last 30 days"):
        section = after.text.partition(part)[2].partition("</section>")[0]
        assert "unavailable" in section
        assert "figure" not in section


def drop(site: SiteServed, table: str) -> None:
    async def work() -> None:
        async with site.service.engine.begin() as connection:
            await connection.execute(text(f"DROP TABLE {table}"))

    site.await_(work())


def test_the_number_of_queries_does_not_grow_with_the_rows(lite_site: SiteServed, tmp_path: Path):
    visitor = lite_site.visitor()
    fill(lite_site, tmp_path, 1)
    few = {path: queries(lite_site, visitor, path) for path in PAGES}
    lite_site.do(open_more, "acme", 200)
    for number in range(20):
        lite_site.do(limits.create_limit, "acme", f"more {number}", ceiling="5 USD", every="day", per=["agent"])
    assert {path: queries(lite_site, visitor, path) for path in PAGES} == few


@operation
def open_more(session: Any, caller: Any, count: int) -> None:
    for number in range(count):
        create_incident_from_cost_anomaly_sync(session, caller.tenant, f"b{number}", "SPIKE", "LOW", 2, 1)


def queries(site: SiteServed, visitor: Visitor, path: str) -> int:
    visitor.get(path)
    seen: list[str] = []

    def count(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "login_sessions" not in statement:
            seen.append(statement)

    event.listen(site.service.engine.sync_engine, "before_cursor_execute", count)
    try:
        assert visitor.get(path).status_code == 200
    finally:
        event.remove(site.service.engine.sync_engine, "before_cursor_execute", count)
    return len([one for one in seen if not one.startswith(("BEGIN", "PRAGMA"))])


def test_a_page_weighs_little_with_everything(lite_site: SiteServed, tmp_path: Path):
    fill(lite_site, tmp_path, 60)
    visitor = lite_site.visitor()
    for path in PAGES:
        page = visitor.get(path).text
        loaded = sum(len(static_files()[name]) for name in re.findall(r'"/static/\w+/([\w.]+)"', page))
        assert len(page.encode()) + loaded <= 200 * 1024, path


def test_an_incident_is_acknowledged_resolved_and_commented_from_its_page(site: SiteServed, tmp_path: Path):
    incident_id = fill(site, tmp_path, 1)
    visitor = site.visitor("operator")
    visitor.get(f"/incidents/{incident_id}")
    for step, form in (("acknowledge", {}), ("comment", {"note": "asked"}), ("resolve", {"note": "job ended"})):
        assert visitor.post(f"/incidents/{incident_id}/{step}", form).status_code == 303
    found = site.do(incidents.get_incident, "acme", incident_id)
    assert [one.kind for one in found.timeline] == ["opened", "acknowledged", "comment", "resolved"]
    assert {one.actor for one in found.timeline[1:]} == {"user:operator-acme"}
    assert "job ended" in visitor.get(f"/incidents/{incident_id}").text


def test_a_kill_from_an_incident_is_on_its_timeline_and_can_be_lifted(site: SiteServed, tmp_path: Path):
    incident_id = fill(site, tmp_path, 1)
    visitor = site.visitor("operator")
    page = visitor.get(f"/kill?where=agent%3Dcrawler-0&incident={incident_id}").text
    assert "comptroller lift --where agent=crawler-0" in page
    form = {"where": "agent=crawler-0", "why": "runaway", "minutes": "30", "incident": incident_id}
    assert visitor.post("/kill", form).headers["location"] == f"/incidents/{incident_id}"
    assert "killed" in [one.kind for one in site.do(incidents.get_incident, "acme", incident_id).timeline]
    assert "agent=crawler-0" in visitor.get("/runs").text
    assert visitor.post("/lift", {"where": "agent=crawler-0\n"}).status_code == 303
    assert "agent=crawler-0" not in visitor.get("/runs").text


WRONG = [
    ("/kill", {"where": "x", "why": "y"}),
    ("/kill", {"where": "a=b", "why": ""}),
    ("/kill", {"where": "a=b", "why": "y", "minutes": "-1"}),
    ("/limits/none/override", {"hours": "x"}),
    ("/incidents/none/explode", {}),
    ("/incidents/none/resolve", {}),
]


def test_a_wrong_form_says_what_is_wrong_and_changes_nothing(lite_site: SiteServed):
    visitor = lite_site.visitor()
    visitor.get("/")
    for path, form in WRONG:
        answer = visitor.post(path, form)
        assert answer.status_code in {400, 404}, (path, form)
        assert 'role="alert"' in answer.text
    assert lite_site.do(kills.list_kills, "acme") == []


def test_a_channel_is_tried_from_the_settings(site: SiteServed):
    with webhook_receiver() as hook:
        site.do(notices.add_channel, "acme", site.service.peppers, "ops", f"{hook.url}s3cret", allows_private=True)
        visitor = site.visitor()
        assert "s3cret" not in visitor.get("/settings").text
        assert "took the test message" in visitor.post("/settings/channels/ops/test").text
        assert len(hook.taken) == 1
        hook.statuses = [500]
        refused = visitor.post("/settings/channels/ops/test")
        assert (refused.status_code, "answered 500" in refused.text) == (502, True)
        assert site.visitor("viewer").post("/settings/channels/ops/test").status_code == 403


def test_what_is_vendored_is_what_its_record_says():
    record = tomllib.loads((STATIC / "licences" / "VENDORED.toml").read_text())
    assert set(record) | FIRST_PARTY == set(static_files())
    for name, said in record.items():
        assert hashlib.sha256(static_files()[name]).hexdigest() == said["sha256"]
        assert (STATIC / "licences" / said["text"]).read_text().strip()


def test_static_files_are_kept_for_ever_and_nothing_else_is_served(site: SiteServed):
    found = site.ask("GET", static_path("app.css"))
    assert (found.status_code, "immutable" in found.headers["cache-control"]) == (200, True)
    for path in ("/static/000000000000/app.css", "/static/x/../serving.py", "/static/x/VENDORED.toml"):
        assert site.ask("GET", path).status_code == 404
