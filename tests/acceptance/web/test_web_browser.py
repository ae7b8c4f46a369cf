"""A browser logs in, uploads, acknowledges, kills, and sees what happens elsewhere; skipped where there is none."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

import comptroller
from comptroller.cli.demo_data import seed
from server_process import ServerProcess

PASSWORD = "correct horse battery staple"  # noqa: S105 — of a person that lives for one test
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
RUNNER = """
import sys, time, comptroller
with comptroller.open(sys.argv[1], tenant="default") as ct:
    try:
        with ct.run(agent="crawler", team="research") as run:
            print("running", flush=True)
            for _ in range(600):
                run.checkpoint()
                with run.reserve("0.02 USD") as hold:
                    hold.settle("0.01 USD")
                time.sleep(0.1)
    except comptroller.RunHalted as halted:
        print("halted", halted.reason, flush=True)
    except comptroller.LimitExceeded:
        print("refused", flush=True)
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    installed = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        if installed is None and not Path(playwright.chromium.executable_path).exists():
            pytest.skip("no browser: install Debian's chromium, or run playwright install chromium")
        made = playwright.chromium.launch(executable_path=installed, args=FLAGS)
        yield made
        made.close()


@pytest.fixture(scope="module")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Give a server whose first admin has a password."""
    made = ServerProcess(tmp_path_factory.mktemp("server"))
    context = browser.new_context(base_url=f"http://localhost:{made.port}")
    page = context.new_page()
    page.goto(f"/welcome?token={made.token}")
    page.fill("input[name=password]", PASSWORD)
    page.click("button.main")
    page.wait_for_url(re.compile(r"/$"))
    context.close()
    yield made
    made.process.terminate()
    made.process.wait(40)


@pytest.fixture
def page(browser: Browser, server: ServerProcess) -> Iterator[Page]:
    context = browser.new_context(base_url=f"http://localhost:{server.port}", viewport={"width": 1280, "height": 900})
    made = context.new_page()
    said: list[str] = []
    made.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
    made.on("pageerror", lambda error: said.append(str(error)))
    made.goto("/login")
    made.fill("input[name=email]", "admin")
    made.fill("input[name=password]", PASSWORD)
    made.click("button.main")
    made.wait_for_url(re.compile(r"/$"))
    yield made
    context.close()
    assert said == []


def bill(folder: Path) -> Path:
    """Write sixty days of two services, one of which cost six times as much on the last two."""
    last = date(2026, 3, 31)
    rows = ["series_id,day,cost"]
    for back in range(60, 0, -1):
        day = last - timedelta(days=back - 1)
        rows += [f"Database,{day},{100 + back % 7}", f"Model API,{day},{(600 if back <= 2 else 100) + back % 5}"]
    file = folder / "bill.csv"
    file.write_text("\n".join(rows) + "\n")
    return file


def test_a_person_logs_in_uploads_a_bill_and_acknowledges_what_is_found(page: Page, tmp_path: Path):
    page.click("text=Log out")
    page.wait_for_url(re.compile("/login"))
    page.goto("/limits")
    page.wait_for_url(re.compile("/login"))
    page.fill("input[name=email]", "admin")
    page.fill("input[name=password]", PASSWORD)
    page.click("button.main")
    page.wait_for_url(re.compile("/limits"))
    page.goto("/")
    expect(page.locator("h1")).to_have_text("What is burning now")
    page.goto("/spend")
    page.set_input_files("input[type=file]", bill(tmp_path))
    page.click("text=Take it in")
    expect(page.locator("#upload output")).to_contain_text("120 rows are in", timeout=20_000)
    page.goto("/")
    # The embedded worker judges what was delivered; the page hears of it by itself.
    found = page.locator("td.what a", has_text="Model API").first
    expect(found).to_be_visible(timeout=40_000)
    found.click()
    page.click("text=Acknowledge")
    expect(page.locator(".card .badge.acknowledged").first).to_be_visible()
    expect(page.locator(".timeline")).to_contain_text("acknowledged")


def test_a_kill_pressed_in_the_page_stops_a_run_in_another_process_while_one_watches(page: Page, server: ServerProcess):
    file = server.folder / "comptroller.db"
    run = subprocess.Popen([sys.executable, "-c", RUNNER, str(file)], stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    try:
        page.goto("/runs")
        assert run.stdout.readline() == "running\n"
        expect(page.locator(".badge.running")).to_be_visible(timeout=20_000)  # live: nobody loaded the page again
        page.click("text=Kill a scope")
        page.fill("textarea[name=where]", "agent=crawler")
        page.click("text=Show what it stops")
        expect(page.locator("main")).to_contain_text("1 running run of agent=crawler")
        expect(page.locator("pre.command")).to_contain_text("comptroller lift --where agent=crawler")
        page.fill("input[name=why]", "it runs away")
        page.click("button:has-text('Kill agent=crawler')")
        assert run.stdout.readline().startswith(("halted killed", "refused"))
        expect(page.locator(".badge.running")).to_have_count(0, timeout=20_000)
        page.click("text=Lift")
        expect(page.locator("h2", has_text="Shut at present")).to_have_count(0)
    finally:
        run.kill()
        run.wait()
        run.stdout.close()


def test_pages_can_be_read_without_javascript(browser: Browser, page: Page, server: ServerProcess):
    with comptroller.open(str(server.folder / "comptroller.db"), tenant="default") as ct:
        ct.limits.create("daily", ceiling="5 tokens", every="day", where={"agent": "nobody"})
    state: Any = page.context.storage_state()
    plain = browser.new_context(
        base_url=f"http://localhost:{server.port}", java_script_enabled=False, storage_state=state
    )  # fmt: skip
    reader = plain.new_page()
    for path, words in (("/", "What is burning now"), ("/limits", "daily"), ("/audit", "limit.created")):
        reader.goto(path)
        expect(reader.locator("main")).to_contain_text(words)
    plain.close()


def test_a_change_elsewhere_appears_without_a_reload(page: Page, server: ServerProcess):
    page.goto("/limits")
    page.evaluate("window.isTheSame = true")
    with comptroller.open(str(server.folder / "comptroller.db"), tenant="default") as ct:
        ct.limits.create("made elsewhere", ceiling="5 requests", every="day", where={"agent": "nobody"})
    expect(page.locator("main")).to_contain_text("made elsewhere", timeout=20_000)
    assert page.evaluate("window.isTheSame") is True


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[tuple[ServerProcess, str]]:
    """Give a server over the demo's month, and the admin's password."""
    with comptroller.open(str(tmp_path / "comptroller.db"), tenant="default") as ct:
        password = seed(ct, tmp_path)
    assert password is not None
    made = ServerProcess(tmp_path)
    yield made, password
    made.process.terminate()
    made.process.wait(40)


def test_every_page_of_the_demo_fits_its_width_by_day_and_by_night_and_complains_of_nothing(
    browser: Browser, demo: tuple[ServerProcess, str]
):
    server, password = demo
    shots = os.environ.get("COMPTROLLER_SCREENSHOTS")  # a folder; the pictures of the documents are made here
    state: Any = None
    for scheme, width in product(("light", "dark"), (1280, 390)):
        options: Any = {"color_scheme": scheme, "viewport": {"width": width, "height": 844}, "storage_state": state}
        context = browser.new_context(base_url=f"http://localhost:{server.port}", **options)
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda message, said=said: said.append(message.text) if message.type == "error" else None)
        if state is None:
            page.goto("/login")
            page.fill("input[name=email]", "admin")
            page.fill("input[name=password]", password)
            page.click("button.main")
            page.wait_for_url(re.compile(r"/$"))
            state = context.storage_state()
        for path in places(page):
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
            if shots:
                name = path.strip("/").partition("/")[0].partition("?")[0] or "overview"
                page.screenshot(path=f"{shots}/{name}-{width}-{scheme}.png", full_page=True)
        assert said == []
        context.close()


def places(page: Page) -> list[str]:
    """Return the paths of all pages, one of each kind."""
    found = ["/", "/spend", "/limits", "/incidents", "/anomalies", "/runs", "/breaches", "/audit", "/settings"]
    for path in ("/incidents", "/anomalies", "/limits"):
        page.goto(path)
        found.append(str(page.locator("td.what a").first.get_attribute("href")))
    return [*found, "/kill?where=agent%3Dcrawler"]
