"""The page of an ONNX model: a form for records, or what the model takes."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests import onnx_artifacts
from tests.browser.conftest import opened
from tests.browser.looks import poor_contrasts, take_picture, too_wide
from tests.service import Service, service

MODELS = {
    "credit": onnx_artifacts.credit,
    "diabetes": onnx_artifacts.diabetes,
    "echo": onnx_artifacts.echo,
    "pictures": onnx_artifacts.pictures,
}


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Service]]:
    """Starts the service of a model by name, once."""
    with ExitStack() as running:

        @cache
        def start(name: str) -> Service:
            folder = tmp_path_factory.mktemp(name)
            model = onnx_artifacts.written(MODELS[name](), folder / "model")
            return running.enter_context(service(model, folder / "log", runtime="onnx"))

        yield start


@pytest.fixture
def show(browser: Browser, serve: Callable[[str], Service]) -> Iterator[Callable[[str], Page]]:
    """Opens the page of a model by name."""
    with ExitStack() as pages:
        yield lambda name: pages.enter_context(opened(browser, serve(name).url))


@pytest.fixture
def credit(show: Callable[[str], Page]) -> Page:
    return show("credit")


def get(page: Page, path: str) -> Any:
    return page.request.get(path).json()


def predict(page: Page, record: dict[str, Any]) -> Any:
    return page.request.post("/predict", data={"inputs": record}).json()


def ask(page: Page, **record: str) -> None:
    for name, value in record.items():
        page.get_by_label(name, exact=True).fill(value)
    page.get_by_role("button", name="Predict").click()


def sent(page: Page, **record: str) -> str:
    """What the page sends, as it is written."""
    bodies = []

    def keep(route: Route) -> None:
        bodies.append(route.request.post_data or "")
        route.continue_()

    page.route("**/predict", keep)
    with page.expect_response("**/predict"):
        ask(page, **record)
    page.unroute("**/predict")
    return bodies[-1]


def test_has_a_field_per_feature_with_its_datatype_and_the_first_training_row(credit: Page) -> None:
    for name, value, description in (
        ("age", "20", "FP32, in training 20 to 60"),
        ("children", "0", "INT64, in training 0 to 2"),
        ("city", "Wien", "BYTES, in training Graz, Wien"),
    ):
        field = credit.get_by_role("combobox" if name == "city" else "textbox", name=name, exact=True)
        expect(field).to_have_value(value)
        expect(field).to_have_accessible_description(description)
    assert credit.locator("datalist option").evaluate_all("all => all.map((each) => each.value)") == ["Graz", "Wien"]
    expect(credit.locator("textarea")).to_have_count(0)


def test_shows_label_and_confidence_of_a_record_as_the_service_answers_them(
    credit: Page,
) -> None:
    ask(credit, age="41.5", children="3", city="Graz")
    record = {"age": 41.5, "children": 3, "city": "Graz"}
    answer = predict(credit, record)
    expect(credit.locator("#label")).to_have_text(answer["prediction"])
    expect(credit.locator("#confidence")).to_have_text(f"{100 * answer['confidence']:.1f} %")
    expect(credit.locator("#values")).to_be_hidden()


def test_offers_the_rows_of_the_test_vector(credit: Page) -> None:
    credit.get_by_role("group", name="Examples").get_by_role("button", name="Row 2").click()
    expect(credit.get_by_label("age")).to_have_value("35")
    expect(credit.get_by_label("children")).to_have_value("2")
    expect(credit.get_by_label("city")).to_have_value("Graz")
    expect(credit.locator("#label")).to_be_visible()
    expect(credit.get_by_role("group", name="Examples").get_by_role("button")).to_have_count(3)


def test_sends_an_empty_field_as_a_missing_value(credit: Page) -> None:
    assert json.loads(sent(credit, age="", city=' x" ')) == {"inputs": {"age": None, "children": 0, "city": ' x" '}}
    expect(credit.locator("#label")).to_be_visible()


@pytest.mark.parametrize(
    ("written", "literal"),
    [("9223372036854775807", "9223372036854775807"), ("-.5", "-0.5"), ("+7", "7"), (" 1e2 ", "1e2"), ("3,5", '"3,5"')],
)
def test_sends_numbers_as_they_are_written(credit: Page, written: str, literal: str) -> None:
    """JavaScript would round an integer of 64 bits. What is not a number is a string, which the service refuses."""
    assert f'"children": {literal},' in sent(credit, children=written)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("many", "record 0, 'children' is a JSON string; it has datatype INT64"),
        ("1.5", "record 0, 'children' is a JSON number that is not an integer; it has datatype INT64"),
        ("", "record 0, 'children' is null; it has datatype INT64"),
    ],
)
def test_shows_the_services_errors_as_text(credit: Page, value: str, message: str) -> None:
    ask(credit, children=value)
    expect(credit.get_by_role("alert")).to_contain_text(message)
    expect(credit.locator("#answer")).to_be_hidden()
    ask(credit, children="1")
    expect(credit.get_by_role("alert")).to_be_hidden()
    expect(credit.locator("#label")).to_be_visible()


def test_shows_the_values_of_a_model_that_is_not_a_classifier(show: Callable[[str], Page]) -> None:
    diabetes = show("diabetes")
    card = get(diabetes, "/model")
    names = [each["name"] for each in card["manifest"]["features"]]
    row = dict(zip(names, card["manifest"]["test"]["inputs"]["X"], strict=False))
    ask(diabetes)
    answer = predict(diabetes, row)
    (name, value), *_ = answer["values"].items()
    shown = diabetes.locator("#values").get_by_role("row", name=name).get_by_role("cell")
    expect(shown).to_be_visible()
    assert float(shown.inner_text()) == pytest.approx(value, rel=1e-6)
    assert len(shown.inner_text()) < len(str(value))
    expect(diabetes.locator("#verdict")).to_be_hidden()


def test_has_a_field_for_every_datatype(show: Callable[[str], Page]) -> None:
    echo = show("echo")
    ask(echo, in_INT64_0=str(2**53 + 1), in_BYTES_1="Größe  <b>")
    expect(echo.get_by_role("alert")).to_be_hidden()
    expect(echo.locator("#values tbody tr")).to_have_count(13)
    expect(echo.locator("#values").get_by_role("row", name="out_BYTES")).to_contain_text('["a", "Größe  <b>"]')
    expect(echo.locator("#values").get_by_role("row", name="out_INT64")).to_contain_text("[about 9007199254740992, ")
    echo.get_by_label("in_BOOL_0").select_option("true")
    echo.get_by_label("in_BOOL_1").select_option("false")
    ask(echo)
    expect(echo.locator("#values").get_by_role("row", name="out_BOOL")).to_contain_text("[true, false]")


def test_says_what_a_model_of_tensors_takes_and_where_to_send_it(show: Callable[[str], Page]) -> None:
    pictures = show("pictures")
    expect(pictures.get_by_role("heading", name="This model takes tensors")).to_be_visible()
    expect(pictures.get_by_text("pixels: FP32, shape [any, 4]")).to_be_visible()
    expect(pictures.locator("#form")).to_be_hidden()
    pictures.get_by_role("link", name="API documentation").click()
    expect(pictures).to_have_url(re.compile("/docs$"))


def test_shows_the_card_of_an_onnx_model(credit: Page) -> None:
    card = get(credit, "/model")
    shown = credit.get_by_role("complementary")
    for fact in ("credit", card["version"], "no, yes", card["scorer"], "rows.csv"):
        expect(shown.get_by_text(fact, exact=True).first).to_be_visible()
    expect(shown.get_by_role("row", name="children")).to_contain_text("INT64")
    expect(shown.get_by_role("row", name="probabilities")).to_contain_text("[n, 2]")


def test_says_why_there_is_no_form_without_a_card(credit: Page) -> None:
    problem = '{"status": 401, "title": "Unauthorized", "detail": "no API key"}'
    credit.route("**/model", lambda route: route.fulfill(status=401, body=problem))
    credit.reload()
    expect(credit.get_by_text("Unauthorized: no API key")).to_be_visible()
    expect(credit.get_by_text("The form needs the card of the model.")).to_be_visible()
    expect(credit.locator("#form")).to_be_hidden()


def test_a_form_can_be_used_by_keyboard_alone(credit: Page) -> None:
    for _ in range(3):
        credit.keyboard.press("Tab")
    expect(credit.get_by_label("age")).to_be_focused()
    credit.keyboard.type("55")
    credit.keyboard.press("Enter")
    expect(credit.locator("#label")).to_have_text("yes")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 360])
@pytest.mark.parametrize("model", MODELS)
def test_fits_both_widths_and_schemes(show: Callable[[str], Page], model: str, scheme: str, width: int) -> None:
    page = show(model)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 800})
    if model != "pictures":
        ask(page)
        expect(page.locator("#answer")).to_be_visible()
    assert too_wide(page, width) == []
    assert poor_contrasts(page) == []
    take_picture(page, f"{model}-{width}-{scheme}")
