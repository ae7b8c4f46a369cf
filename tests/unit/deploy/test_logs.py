import json
import subprocess
import sys

PROGRAM = """
import logging, structlog
from comptroller.worker.process import set_up_logs
set_up_logs()
with structlog.contextvars.bound_contextvars(request_id="r-12345678"):
    structlog.get_logger("a").info("event", token="s3cret", amount="1 USD", channel_target="https://s3cret")
    logging.getLogger("b").warning("older", extra={"password": "s3cret", "tenant": "acme"})
    try:
        1 / 0
    except ZeroDivisionError:
        structlog.get_logger("c").exception("failed")
"""


def test_logs_are_json_lines_with_the_requests_id_and_without_secrets():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["event", "older", "failed"]
    assert {line["request_id"] for line in lines} == {"r-12345678"}
    assert "s3cret" not in done.stderr
    assert (lines[0]["amount"], lines[1]["tenant"]) == ("1 USD", "acme")
    assert "ZeroDivisionError" in lines[2]["exception"]
