"""What a person who opens the service's address meets."""

import re

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser.looks import poor_contrasts, take_picture, too_wide
from tests.service import Service

MAIL = "Win MONEY now!\n\n<b>Click here</b> 🎉 for a free prize, the patch is at noon"


def classify(page: Page, text: str) -> None:
    page.get_by_label("A text").fill(text)
    page.get_by_role("button", name="Classify").click()


def marks(page: Page) -> Locator:
    return page.locator("#words mark")


def test_shows_label_and_confidence_as_the_service_answers_them(page: Page, served: Service) -> None:
    classify(page, MAIL)
    answer = httpx.post(f"{served.url}/predict", json={"text": MAIL}, trust_env=False).json()
    expect(page.locator("#label")).to_have_text(answer["prediction"])
    expect(page.locator("#confidence")).to_have_text(f"{100 * answer['confidence']:.1f} %")


def test_colours_exactly_the_words_that_pushed_and_keeps_the_text_as_it_was(page: Page, served: Service) -> None:
    classify(page, MAIL)
    expect(marks(page)).not_to_have_count(0)
    assert page.locator("#words").text_content() == MAIL
    pushed = httpx.post(f"{served.url}/predict", json={"text": MAIL, "explain": True}, trust_env=False).json()
    words = {word for push in pushed["explanation"] for word in re.findall(r"\w\w+", MAIL[push["start"] : push["end"]])}
    assert set(marks(page).all_text_contents()) == words
    assert page.locator("#words mark.towards", has_text="MONEY").get_attribute("title") is not None
    expect(page.locator("#words mark.against", has_text="patch")).to_have_attribute(
        "title", re.compile("^\u2212.* against spam$")
    )


def test_lists_the_strongest_terms_with_their_push(page: Page) -> None:
    classify(page, "money money patch")
    row = page.locator("#pushes tbody tr", has=page.get_by_text("money", exact=True))
    expect(row.locator("td").nth(1)).to_have_text("2")
    expect(row.locator("td").nth(2)).to_have_text(re.compile(r"^\+\d\.\d\d$"))


def test_says_so_where_the_model_knows_no_word(page: Page) -> None:
    classify(page, "xyzzy plugh")
    expect(page.get_by_text("The model knows none of these words")).to_be_visible()
    expect(marks(page)).to_have_count(0)


def test_offers_the_examples_that_the_model_holds(page: Page, served: Service) -> None:
    examples = httpx.get(f"{served.url}/model", trust_env=False).json()["manifest"]["examples"]
    assert {example["label"] for example in examples} == {"ham", "spam"}
    for example in examples:
        page.get_by_role("group", name="Examples").get_by_role("button", name=example["label"]).click()
        expect(page.get_by_label("A text")).to_have_value(example["text"])
        answer = httpx.post(f"{served.url}/predict", json={"text": example["text"]}, trust_env=False).json()
        expect(page.locator("#label")).to_have_text(answer["prediction"])


def test_classifies_a_text_that_is_too_long_to_explain(page: Page) -> None:
    classify(page, "money " * 5_000)
    expect(page.locator("#label")).to_have_text("spam")
    expect(page.get_by_text("This text is too long to explain")).to_be_visible()
    expect(page.locator("#words")).to_be_hidden()
    classify(page, "money")
    expect(page.locator("#words mark")).to_have_count(1)


def test_shows_the_models_card(page: Page, served: Service) -> None:
    card = httpx.get(f"{served.url}/model", trust_env=False).json()
    shown = page.get_by_role("complementary")
    for fact in (
        card["name"],
        card["version"],
        "ham, spam",
        card["scorer"],
        card["manifest"]["data"]["fingerprint"][:12],
    ):
        expect(shown.get_by_text(fact, exact=True).first).to_be_visible()
    accuracy = card["manifest"]["metrics"]["accuracy"]
    expect(shown.get_by_role("row", name="accuracy")).to_contain_text(f"{100 * accuracy:.1f} %")
    expect(shown.locator("#calibration circle")).to_have_count(len(card["manifest"]["metrics"]["calibration"]["bins"]))


@pytest.mark.parametrize(("text", "message"), [(" ", "There is no text yet"), ("a" * 50_001, "at most 50000")])
def test_shows_what_is_wrong_with_a_text_in_the_page(page: Page, text: str, message: str) -> None:
    classify(page, "money")
    expect(page.locator("#answer")).to_be_visible()
    classify(page, text)
    expect(page.get_by_role("alert")).to_contain_text(message)
    expect(page.locator("#answer")).to_be_hidden()
    classify(page, "money")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_lists_the_most_probable_labels_of_many_and_keeps_long_labels_in_their_column(page: Page) -> None:
    labels = {f"{'a' * 40}_{number}": 1 / 2**number for number in range(1, 9)}

    def rename(route: Route) -> None:
        card = route.fetch().json()
        metrics = card["manifest"]["metrics"]
        card["labels"] = card["manifest"]["labels"] = list(labels)
        metrics["labels"] = dict.fromkeys(labels, metrics["labels"]["ham"])
        route.fulfill(json=card)

    answer = {"prediction": next(iter(labels)), "confidence": 0.5, "probabilities": labels, "known_words": 0}
    page.route("**/model", rename)
    page.route("**/predict", lambda route: route.fulfill(json=answer))
    page.reload()
    page.locator("#metrics tbody tr").nth(8).wait_for()
    classify(page, "money")
    expect(page.locator("#shares tbody tr")).to_have_count(5)
    expect(page.locator("#shares tbody tr").nth(1)).to_contain_text("25.0 %")
    for width in (360, 1200):
        page.set_viewport_size({"width": width, "height": 800})
        assert too_wide(page, width) == []


def test_says_so_when_the_service_is_gone_or_busy(page: Page) -> None:
    page.route("**/predict", lambda route: route.abort())
    classify(page, "money")
    expect(page.get_by_role("alert")).to_contain_text("The service does not answer")
    busy = '{"status": 429, "title": "Too Many Requests", "detail": "the service is busy."}'
    page.route("**/predict", lambda route: route.fulfill(status=429, body=busy, headers={"retry-after": "3"}))
    classify(page, "money")
    expect(page.get_by_role("alert")).to_have_text("Too Many Requests: the service is busy. Try again in 3 s.")


def test_can_be_used_by_keyboard_alone(page: Page) -> None:
    for _ in range(3):
        page.keyboard.press("Tab")
    expect(page.get_by_label("A text")).to_be_focused()
    page.keyboard.type("win a free prize")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#label")).to_have_text("spam")
    for name in ("Classify", "ham", "spam"):
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name=name)).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("name", "width"), [("desk", 1200), ("phone", 360)])
def test_fits_desk_and_phone_in_light_and_dark(
    browser: Browser, served: Service, scheme: str, name: str, width: int
) -> None:
    """Nothing is wider than window or column, all text has contrast (4.5 or more), and a picture is left to look at."""
    page = browser.new_page(
        base_url=served.url,
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page.goto("/")
    page.locator("#card").wait_for()
    classify(page, MAIL + " money" * 40 + " " + "w" * 200)
    expect(page.locator("#answer")).to_be_visible()
    assert too_wide(page, width) == []
    assert poor_contrasts(page) == []
    take_picture(page, f"{name}-{scheme}")
    page.close()
