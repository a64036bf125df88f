"""The API viewer of GET /docs, used as its readers use it."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.looks import take_picture


def operation(page: Page, name: str, tag: str) -> Locator:
    """Open the viewer at one operation."""
    page.goto(f"/docs#/{tag}/{name}")
    found = page.locator(f"#operations-{tag}-{name}")
    expect(found.get_by_role("button", name="Execute")).to_be_visible()
    return found


def test_lists_every_operation(page: Page) -> None:
    page.goto("/docs")
    document = page.request.get("/openapi.json").json()
    count = sum(len(methods) for methods in document["paths"].values())
    expect(page.locator(".opblock")).to_have_count(count)
    expect(page.locator(".info .title")).to_contain_text(document["info"]["version"])


def test_sends_an_example_and_shows_the_answer(page: Page) -> None:
    predict = operation(page, "post_predict", "predict")
    predict.get_by_role("button", name="Execute").click()
    expect(predict.locator(".live-responses-table .response").first).to_contain_text('"prediction"')
    take_picture(page, "docs")


def test_shows_an_error_with_its_status(page: Page) -> None:
    predict = operation(page, "post_predict", "predict")
    predict.locator("textarea").fill("{")
    predict.get_by_role("button", name="Execute").click()
    expect(predict.locator(".live-responses-table .response").first).to_contain_text("the body is not JSON")


def test_fills_the_parameters_of_a_path(page: Page) -> None:
    metadata = operation(page, "get_v2_models_model", "protocol")
    metadata.get_by_placeholder("model").fill("spam")
    metadata.get_by_role("button", name="Execute").click()
    expect(metadata.locator(".live-responses-table .response").first).to_contain_text('"versions"')


def test_applies_its_style(page: Page) -> None:
    """The style sheet is loaded, although the policy forbids inline styles."""
    page.goto("/docs")
    method = page.locator(".opblock-post .opblock-summary-method").first
    expect(method).to_have_css("background-color", "rgb(73, 204, 144)")
