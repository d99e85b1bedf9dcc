"""What every test stands on: no network, folders of its own, and the browser.

The database is chosen by XIANGSUI_DATABASE_URL, which `xiangsui.settings.testing` reads: without it, SQLite.
"""

import ipaddress
import os
import re
import shutil
import socket
from pathlib import Path

import hypothesis
import pytest

# A machine that is busy with something else is no failure of the code.
hypothesis.settings.register_profile("xiangsui", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("xiangsui")

BROWSER_TESTS = Path(__file__).parent / "browser"


def pytest_collection_modifyitems(items):
    for item in items:
        if BROWSER_TESTS in item.path.parents:
            item.add_marker(pytest.mark.browser)


# ---------------------------------------------------------------- no network


def _is_here(host):
    if host in (None, "", "localhost", b"localhost", socket.gethostname()):
        return True
    text = host.decode() if isinstance(host, bytes) else host
    try:
        return ipaddress.ip_address(text.partition("%")[0]).is_loopback or text in {"0.0.0.0", "::"}
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """A test that reaches beyond this machine fails, also when the code swallows the refusal."""
    attempts = []
    connect, connect_ex, look_up = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def check(host):
        if not _is_here(host):
            attempts.append(host)
            raise OSError(f"a test may not reach {host!r}: only this machine")

    def guarded(original):
        def call(self, address):
            if self.family in (socket.AF_INET, socket.AF_INET6):
                check(address[0])
            return original(self, address)

        return call

    def guarded_look_up(host, *arguments, **options):
        check(host)
        return look_up(host, *arguments, **options)

    monkeypatch.setattr(socket.socket, "connect", guarded(connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(connect_ex))
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)
    yield attempts
    assert not attempts, f"the test reached beyond this machine: {attempts}"


# ---------------------------------------------------------------- folders


@pytest.fixture(scope="session", autouse=True)
def _own_folders(request):
    """Index and files in a folder of this process: the processes of pytest-xdist would share one otherwise."""
    if not request.config.pluginmanager.hasplugin("django"):
        return
    from django.conf import settings

    if settings.configured:
        home = request.getfixturevalue("tmp_path_factory").mktemp("home")
        settings.HLA_INDEX_DIR, settings.MEDIA_ROOT = home / "index", home / "files"


# ---------------------------------------------------------------- browser

ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]  # fmt: skip
DESK = {"viewport": {"width": 1280, "height": 860}}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
REPORT_VIOLATION = """addEventListener("securitypolicyviolation", event => console.error(
    `CSP ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber} ${event.sample}`))"""


def _chromium():
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium, driven by playwright."""
    program = _chromium()
    if program is None:
        pytest.skip("没有 Chromium: no chromium on the PATH")
    playwright = pytest.importorskip("playwright.sync_api")
    # Playwright keeps an event loop in this thread, which Django would take for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield chromium
        chromium.close()
    os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)


@pytest.fixture
def tolerated():
    """Patterns of console errors that a test provokes on purpose: `tolerated.append("403")`."""
    return []


@pytest.fixture
def open_page(browser, tolerated, request):
    """Opens watched pages: `open_page(viewport=…, locale=…)`. An error on the console, a CSP violation or a
    request to elsewhere fails the test."""
    contexts, complaints = [], []

    def hear(message):
        if message.type == "error":
            complaints.append(f"console: {message.text} ({message.location.get('url', '')})")

    def see(sent):
        host = re.match(r"(?:https?|wss?)://(\[[^]]*\]|[^/:]*)", sent.url)
        if host and not _is_here(host[1].strip("[]")):
            complaints.append(f"request to elsewhere: {sent.url}")

    def open_page(**options):
        live_server = request.getfixturevalue("live_server") if _has_django(request) else None
        options.setdefault("base_url", live_server.url if live_server else None)
        options.setdefault("locale", "zh-CN")
        options.setdefault("accept_downloads", True)
        context = browser.new_context(**options)
        contexts.append(context)
        context.set_default_timeout(15_000)
        context.add_init_script(REPORT_VIOLATION)
        context.on("console", hear)
        context.on("weberror", lambda error: complaints.append(f"script: {error.error}"))
        context.on("request", see)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()
    left = [text for text in complaints if not any(re.search(pattern, text) for pattern in tolerated)]
    assert not left, "the browser complained:\n" + "\n".join(left)


def _has_django(request):
    return request.config.pluginmanager.hasplugin("django")


@pytest.fixture
def page(open_page):
    """A desk's screen, 1280 wide, on the live server."""
    return open_page(**DESK)


@pytest.fixture
def phone(open_page):
    """A phone's screen, 390 wide."""
    return open_page(**PHONE)
