"""The page of the running service in a real Chromium."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, Playwright, Request, Route, sync_playwright

from tests.models import write_tiny_model
from tests.service import Service, service

EXPECTED = (
    "Failed to load",  # the tests send requests that are refused
    "Deprecated: escaping deep link",  # Swagger UI's, for operation ids with an underscore
)
# Nothing but the page under test: no sandbox (containers have none to give), no calls home.
ARGUMENTS = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with a tiny model and a small limit."""
    folder = tmp_path_factory.mktemp("page")
    with service(
        write_tiny_model(folder / "model"), folder / "log", max_text_characters=50_000, max_explained_characters=20_000
    ) as running:
        yield running


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright, without a browser of its own."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """The machine's Chromium."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert program, "the page's tests need Chromium on PATH (apt-get install chromium)"
    browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
    yield browser
    browser.close()


@pytest.fixture
def page(browser: Browser, served: Service) -> Iterator[Page]:
    """The page of a text model, loaded."""
    with opened(browser, served.url) as page:
        yield page


@contextmanager
def opened(browser: Browser, url: str, shown: str = "#card") -> Iterator[Page]:
    """The page of the service at `url`, when `shown` is visible.

    An unexpected console message or a request to another host fails.
    """
    page = browser.new_page(base_url=url)
    complaints: list[str] = []

    def only_ours(route: Route, request: Request) -> None:
        if not request.url.startswith(f"{url}/"):
            complaints.append(f"asks {request.url}")
        route.continue_()

    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: None if said.text.startswith(EXPECTED) else complaints.append(said.text))
    page.route("**", only_ours)
    page.goto("/")
    page.locator(shown).wait_for()
    yield page
    page.close()
    assert complaints == []
