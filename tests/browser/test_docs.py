"""The page of GET /docs, read and used like its readers would."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import SHOTS


def test_it_lists_every_operation(page: Page) -> None:
    """What the OpenAPI document has, the page shows."""
    page.goto("/docs")
    document = page.request.get("/openapi.json").json()
    count = sum(len(methods) for methods in document["paths"].values())
    expect(page.locator("section > details")).to_have_count(count)
    expect(page.locator("h1")).to_contain_text(document["info"]["version"])


def test_it_asks_the_service(page: Page) -> None:
    """An operation can be tried with its own example, and the answer is shown."""
    page.goto("/docs#post_predict")
    operation = page.locator("#post_predict")
    operation.get_by_role("button", name="Ask").click()
    expect(operation.locator("form pre")).to_contain_text('"prediction"')
    page.screenshot(path=SHOTS / "docs.png", full_page=True)


def test_it_shows_an_error(page: Page) -> None:
    """What is wrong is shown with its status."""
    page.goto("/docs#post_predict")
    operation = page.locator("#post_predict")
    operation.get_by_label("Body").fill("{")
    operation.get_by_role("button", name="Ask").click()
    expect(operation.locator("form pre")).to_contain_text("400")


def test_it_asks_for_what_a_path_needs(page: Page) -> None:
    """Parameters of a path have a field each."""
    page.goto("/docs#get_v2_models_model")
    operation = page.locator("#get_v2_models_model")
    operation.get_by_label("model").fill("spam")
    operation.get_by_role("button", name="Ask").click()
    expect(operation.locator("form pre")).to_contain_text('"versions"')
