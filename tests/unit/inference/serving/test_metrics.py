"""What /metrics shows, compared to the contract that alerts and dashboard are made of."""

from itertools import product

import pytest
from prometheus_client.parser import text_string_to_metric_families

from inference import contract
from inference.model.artifact import Artifact
from inference.model.classifier import TextClassifier
from inference.serving.application import InferenceApp, create_app
from inference.settings import Settings
from tests.asgi import AsgiClient

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def app(tiny_artifact: Artifact) -> InferenceApp:
    app = create_app(Settings(model_uri="unused", max_in_flight=7))
    app.service.add_model(TextClassifier.from_artifact(tiny_artifact))
    return app


def scrape(app: InferenceApp) -> Samples:
    """Every sample of a real scrape, by name and labels."""
    text = AsgiClient(app).get(contract.METRICS_PATH).text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    """One sample's value; KeyError when it is not there."""
    return samples[name, frozenset(labels.items())]


def test_every_series_exists_from_the_first_scrape(app: InferenceApp) -> None:
    """No alert has to wait for a first event: each combination of label values is there, at zero."""
    samples = scrape(app)
    version = {"model_version": app.service.model.version} if app.service.model else {}
    for route, outcome in product(contract.ROUTES, contract.OUTCOMES):
        assert value(samples, contract.REQUESTS, route=route, outcome=outcome) == 0
    for route in contract.ROUTES:
        assert value(samples, f"{contract.REQUEST_DURATION}_count", route=route) == 0
    for phase in contract.PHASES:
        assert value(samples, f"{contract.PHASE_DURATION}_count", phase=phase) == 0
    for reason in contract.SHED_REASONS:
        assert value(samples, contract.SHED, reason=reason) == 0
    for label in ("ham", "spam"):
        assert value(samples, contract.PREDICTIONS, label=label, **version) == 0
    for signal in contract.SIGNALS:
        assert value(samples, contract.BASELINE, signal=signal, **version) > 0
    for name in (contract.CONFIDENCE, contract.UNKNOWN_WORDS, contract.TEXT_LENGTH):
        assert value(samples, f"{name}_count", **version) == 0


def test_shows_exactly_the_contracts_metrics(app: InferenceApp) -> None:
    """What begins with `inference_` is in the contract, and all of the contract is shown."""
    found = {name for name, _ in scrape(app) if name.startswith("inference_")}
    bases = {name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum") for name in found}
    assert bases == set(contract.METRICS)


@pytest.mark.parametrize(
    ("name", "buckets"),
    [
        (contract.REQUEST_DURATION, contract.LATENCY_BUCKETS),
        (contract.PHASE_DURATION, contract.LATENCY_BUCKETS),
        (contract.CONFIDENCE, contract.RATIO_BUCKETS),
        (contract.UNKNOWN_WORDS, contract.RATIO_BUCKETS),
        (contract.TEXT_LENGTH, contract.LENGTH_BUCKETS),
    ],
)
def test_has_the_contracts_buckets(app: InferenceApp, name: str, buckets: tuple[float, ...]) -> None:
    """An objective finds its bucket, spelt as Prometheus spells floats."""
    bounds = {dict(labels)["le"] for sample, labels in scrape(app) if sample == f"{name}_bucket"}
    assert bounds == {*(str(float(bound)) for bound in buckets), "+Inf"}


def test_counts_answers_by_route_and_outcome(app: InferenceApp) -> None:
    """Errors of the framework count too, and no path that a client makes up becomes a label."""
    client = AsgiClient(app)
    client.post("/predict", json={"text": ["free money", "the patch"]})
    client.post("/predict", content=b"{")
    client.post("/v2/models/spam/infer", content=b"{}")
    client.get("/made/up")
    client.get("/predict")
    samples = scrape(app)
    counted = {
        tuple(dict(labels)[key] for key in ("route", "outcome")): count
        for (name, labels), count in samples.items()
        if name == contract.REQUESTS and count
    }
    assert counted == {
        ("predict", "ok"): 1,
        ("predict", "client_error"): 1,
        ("infer", "client_error"): 1,
        ("other", "client_error"): 2,
    }
    assert value(samples, f"{contract.REQUEST_DURATION}_count", route="predict") == 2


def test_counts_texts(app: InferenceApp) -> None:
    """Each text counts with its label, confidence, unknown words and length."""
    client = AsgiClient(app)
    client.post("/predict", json={"text": ["free money", "", "zzz yyy"]})
    samples, version = scrape(app), app.service.model.version if app.service.model else ""
    labels = {
        label: value(samples, contract.PREDICTIONS, label=label, model_version=version) for label in ("ham", "spam")
    }
    assert sum(labels.values()) == 3
    assert value(samples, f"{contract.CONFIDENCE}_count", model_version=version) == 3
    assert value(samples, f"{contract.UNKNOWN_WORDS}_sum", model_version=version) == 1.0
    assert value(samples, f"{contract.TEXT_LENGTH}_sum", model_version=version) == 17
    assert value(samples, f"{contract.PHASE_DURATION}_count", phase="predict") == 1
    assert value(samples, f"{contract.PHASE_DURATION}_count", phase="parse") == 1


def test_says_what_runs(app: InferenceApp) -> None:
    """Model, build, limit and readiness can be read off."""
    samples, model = scrape(app), app.service.model
    assert model is not None
    labels = {"model": "spam", "model_version": model.version, "digest": model.digest}
    assert value(samples, contract.MODEL_INFO, **labels) == 1
    assert value(samples, contract.IN_FLIGHT_LIMIT) == 7
    assert value(samples, contract.READY) == 1
    assert any(name == contract.BUILD_INFO and ("scorer", model.scorer_kind) in labels for name, labels in samples)
    assert ("process_resident_memory_bytes", frozenset()) in samples


def test_shows_the_families_before_there_is_a_model() -> None:
    """A service that waits for its model is scraped too, and is not ready."""
    samples = scrape(create_app(Settings(model_uri="unused")))
    assert value(samples, contract.READY) == 0
    assert value(samples, contract.REQUESTS, route="predict", outcome="ok") == 0


def test_speaks_openmetrics(app: InferenceApp) -> None:
    """Prometheus asks for OpenMetrics, and gets it."""
    response = AsgiClient(app).get(contract.METRICS_PATH, headers={"accept": "application/openmetrics-text"})
    assert response.headers["content-type"].startswith("application/openmetrics-text")
    assert response.text.endswith("# EOF\n")
