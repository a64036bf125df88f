"""The page of a service that requires API keys."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from inference import api_keys
from inference.api_keys import ApiKey
from tests import onnx_artifacts
from tests.browser.conftest import opened
from tests.browser.looks import poor_contrasts, take_picture, too_wide
from tests.models import write_tiny_model
from tests.service import Service, service

KEY = "tnt_secret-key_1"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    (folder / "shop").write_text(api_keys.entry_text([ApiKey(api_keys.digest_of(KEY.encode()))]))
    return folder


@pytest.fixture(scope="module")
def locked(keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("locked")
    model = write_tiny_model(folder / "model")
    with service(model, folder / "log", api_keys_dir=keys, api_keys_reload_seconds=0.1) as running:
        yield running


@pytest.fixture
def locked_page(browser: Browser, locked: Service) -> Iterator[Page]:
    with opened(browser, locked.url, shown="#key-form") as page:
        yield page


def enter(page: Page, key: str) -> None:
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Use key").click()


def classify(page: Page) -> None:
    page.get_by_label("A text").fill("free money")
    page.get_by_role("button", name="Classify").click()


def test_with_a_key_the_page_shows_the_card_and_predicts(locked_page: Page) -> None:
    expect(locked_page.get_by_text("an API key is required")).to_be_visible()
    expect(locked_page.locator("#card")).to_be_hidden()
    enter(locked_page, f" {KEY} ")
    expect(locked_page.locator("#card")).to_be_visible()
    expect(locked_page.get_by_role("group", name="Examples").get_by_role("button")).to_have_count(2)
    classify(locked_page)
    expect(locked_page.locator("#label")).to_have_text("spam")


def test_a_wrong_key_is_refused_and_can_be_replaced(locked_page: Page) -> None:
    enter(locked_page, "tnt_wrong")
    expect(locked_page.get_by_text("the API key is not valid")).to_be_visible()
    classify(locked_page)
    expect(locked_page.get_by_role("alert")).to_contain_text("the API key is not valid")
    enter(locked_page, KEY)
    expect(locked_page.locator("#card")).to_be_visible()
    expect(locked_page.get_by_role("alert")).to_be_hidden()
    classify(locked_page)
    expect(locked_page.locator("#label")).to_have_text("spam")


@pytest.mark.parametrize("key", ["", "two words", "schlüssel", "🔑"])
def test_what_cannot_be_a_key_is_not_sent(locked_page: Page, key: str) -> None:
    asked: list[Request] = []
    locked_page.on("request", lambda each: asked.extend([each] if each.resource_type == "fetch" else []))
    enter(locked_page, key)
    expect(locked_page.locator("#key:invalid")).to_have_count(1)
    assert asked == []


def test_the_key_is_kept_in_memory_only(locked_page: Page, locked: Service) -> None:
    """It is not shown, not in an address, and gone after a reload."""
    asked: list[Request] = []
    locked_page.on("request", lambda each: asked.extend([each] if each.resource_type == "fetch" else []))
    enter(locked_page, KEY)
    expect(locked_page.locator("#card")).to_be_visible()
    classify(locked_page)
    expect(locked_page.locator("#label")).to_have_text("spam")
    assert [each.headers.get("authorization") for each in asked] == [f"Bearer {KEY}"] * 2
    assert not [each for each in asked if KEY in each.url]
    assert locked_page.get_by_label("API key").get_attribute("type") == "password"
    assert locked_page.context.cookies() == []
    assert locked_page.evaluate("localStorage.length + sessionStorage.length") == 0
    locked_page.reload()
    expect(locked_page.get_by_text("an API key is required")).to_be_visible()
    expect(locked_page.get_by_label("API key")).to_have_value("")
    assert KEY not in locked.log.read_text()


def test_a_service_without_keys_asks_for_none(page: Page) -> None:
    expect(page.locator("#key-form")).to_be_hidden()


def test_the_page_of_an_onnx_model_asks_for_a_key(browser: Browser, keys: Path, tmp_path: Path) -> None:
    model = onnx_artifacts.written(onnx_artifacts.credit(), tmp_path / "model")
    with (
        service(model, tmp_path / "log", runtime="onnx", api_keys_dir=keys) as running,
        opened(browser, running.url, shown="#key-form") as page,
    ):
        page.set_viewport_size({"width": 320, "height": 900})
        assert too_wide(page, 320) == []
        take_picture(page, "key-onnx-phone")
        enter(page, KEY)
        expect(page.locator("#card")).to_be_visible()
        expect(page.get_by_role("button", name="Predict")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_form_is_readable_and_fits(locked_page: Page, scheme: str) -> None:
    locked_page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for width in (320, 1_280):
        locked_page.set_viewport_size({"width": width, "height": 900})
        assert too_wide(locked_page, width) == []
    assert poor_contrasts(locked_page) == []
    take_picture(locked_page, f"key-{scheme}")
