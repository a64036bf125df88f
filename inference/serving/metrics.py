"""The metrics of the service: plain numbers, and a collector that turns them into prometheus-client's families.

A prediction changes nine series. prometheus-client's own counters and histograms take a lock for each change, which
costs more than the prediction. The numbers here need no lock, because only the event loop's thread changes them.
Every series exists from the first scrape, and no label value comes from a client.
"""

import platform
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from inference import __version__, contract
from inference.model.interface import LoadedModel, Prediction, TextModel
from inference.serving.distribution import Histogram, histogram

if TYPE_CHECKING:
    from inference.serving.row_metrics import RowMetrics

PREDICT, INFER, OTHER = contract.ROUTES
OK, CLIENT_ERROR, SERVER_ERROR, SHED = contract.OUTCOMES
QUEUE, PARSE, SCORE = contract.PHASES
_SUCCESS_BELOW: Final = 400
_CLIENT_ERROR_BELOW: Final = 500


class Load(Protocol):
    """The current load; `inference.serving.limits.Admission` implements it."""

    in_flight: int
    max_in_flight: int

    @property
    def ready(self) -> bool:
        """Whether the readiness probe answers 200."""


class Keys(Protocol):
    """The API keys in force; `inference.serving.callers.keys.KeyRing` implements it."""

    callers: tuple[str, ...]
    is_valid: bool


class Usage(Protocol):
    """What one caller has done; `inference.serving.callers.callers.Caller` implements it."""

    name: str
    requests: int
    texts: int
    seconds: float
    rejected: dict[str, int]


class TextMetrics:
    """Counts the texts that one model classified, and its predictions."""

    def __init__(self, model: TextModel) -> None:
        self.predictions: Final = dict.fromkeys(model.labels, 0)
        self.confidence: Final = histogram(contract.RATIO_BUCKETS)
        self.unknown_words: Final = histogram(contract.RATIO_BUCKETS)
        self.length: Final = histogram(contract.LENGTH_BUCKETS)

    def add(self, prediction: Prediction, characters: int) -> None:
        """Count one classified text."""
        label, confidence, _, words, unknown_words = prediction
        self.predictions[label] += 1
        self.confidence.add(confidence)
        self.unknown_words.add(unknown_words / words if words else 0.0)
        self.length.add(characters)


class Metrics(Collector):
    """All series of the service. Not thread-safe: only the event loop's thread adds and collects.

    Attributes:
        texts: The metrics of a text model; None before it is loaded, or if the model does not classify texts.
        rows: The metrics of an ONNX model; None before it is loaded, or if the model classifies texts.
        registry: What /metrics shows: these series, and those of the process.
    """

    def __init__(self, load: Load, keys: Keys | None = None, callers: Iterable[Usage] = ()) -> None:
        self._load = load
        self._keys = keys
        self._callers = callers
        self.requests: Final = {route: dict.fromkeys(contract.OUTCOMES, 0) for route in contract.ROUTES}
        self.durations: Final = {route: histogram(contract.LATENCY_BUCKETS) for route in contract.ROUTES}
        self.phases: Final = {phase: histogram(contract.LATENCY_BUCKETS) for phase in contract.PHASES}
        self.shed: Final = dict.fromkeys(contract.SHED_REASONS, 0)
        self.texts: TextMetrics | None = None
        self.rows: RowMetrics | None = None
        self._model: LoadedModel | None = None
        self.registry: Final = CollectorRegistry()
        self.registry.register(self)
        ProcessCollector(registry=self.registry)

    def add_model(self, model: LoadedModel) -> None:
        """Show the series of `model` from now on."""
        self._model = model
        self.texts = TextMetrics(model) if isinstance(model, TextModel) else None
        self.rows = None if isinstance(model, TextModel) else _row_metrics(model)

    def add_answer(self, route: str, status: int, seconds: float) -> None:
        """Count an answered request that was not shed."""
        outcome = OK if status < _SUCCESS_BELOW else CLIENT_ERROR if status < _CLIENT_ERROR_BELOW else SERVER_ERROR
        self.requests[route][outcome] += 1
        self.durations[route].add(seconds)

    def add_shed(self, route: str, reason: str) -> None:
        """Count a request that was shed."""
        self.requests[route][SHED] += 1
        self.shed[reason] += 1

    def collect(self) -> Iterator[Metric]:
        """Return every family that `inference.contract.METRICS` names."""
        yield from self._request_families()
        yield from self._load_families()
        yield from self._caller_families()
        yield from self._prediction_families()
        yield from self._feature_families()
        yield from self._info_families()

    def _request_families(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(contract.REQUESTS, "Answered requests.", labels=("route", "outcome"))
        for route, outcomes in self.requests.items():
            for outcome, count in outcomes.items():
                requests.add_metric((route, outcome), count)
        yield requests
        yield _histogram(
            contract.REQUEST_DURATION,
            "Seconds from the first byte of a request to its answer, without shed requests.",
            ("route",),
            {(route,): distribution for route, distribution in self.durations.items()},
        )
        yield _histogram(
            contract.PHASE_DURATION,
            "Seconds of each phase of a prediction: queue, parse, predict.",
            ("phase",),
            {(phase,): distribution for phase, distribution in self.phases.items()},
        )

    def _load_families(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            contract.IN_FLIGHT, "Requests received and not yet answered.", value=self._load.in_flight
        )
        yield GaugeMetricFamily(
            contract.IN_FLIGHT_LIMIT,
            "The limit of requests in flight; above it, requests are shed.",
            value=self._load.max_in_flight,
        )
        shed = CounterMetricFamily(
            contract.SHED, "Requests refused because of overload or shutdown.", labels=("reason",)
        )
        for reason, count in self.shed.items():
            shed.add_metric((reason,), count)
        yield shed

    def _caller_families(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(contract.CALLER_REQUESTS, "Requests accepted.", labels=("caller",))
        texts = CounterMetricFamily(contract.CALLER_TEXTS, "Texts answered.", labels=("caller",))
        seconds = CounterMetricFamily(contract.CALLER_SECONDS, "Seconds of parsing and predicting.", labels=("caller",))
        rejected = CounterMetricFamily(
            contract.CALLER_REJECTED, "Requests without a valid key or above a limit.", labels=("caller", "reason")
        )
        for caller in self._callers:
            for family, count in ((requests, caller.requests), (texts, caller.texts), (seconds, caller.seconds)):
                family.add_metric((caller.name,), count)
            for reason, count in caller.rejected.items():
                rejected.add_metric((caller.name, reason), count)
        yield from (requests, texts, seconds, rejected)
        keys = self._keys
        yield GaugeMetricFamily(
            contract.API_KEY_CALLERS, "Callers that have an API key.", value=len(keys.callers) if keys else 0
        )
        yield GaugeMetricFamily(
            contract.API_KEYS_VALID,
            "1 unless the Secret with the API keys is invalid and the previous keys are in force.",
            value=float(keys is None or keys.is_valid),
        )

    @property
    def _version(self) -> str:
        return self._model.version if self._model else ""

    def _prediction_families(self) -> Iterator[Metric]:
        texts, version = self.texts, self._version
        either = texts or self.rows
        predictions = CounterMetricFamily(
            contract.PREDICTIONS, "Texts or rows answered.", labels=("label", "model_version")
        )
        for label, count in (either.predictions if either else {}).items():
            predictions.add_metric((label, version), count)
        yield predictions
        for name, text, distribution in (
            (contract.CONFIDENCE, "Probability of the predicted label.", either and either.confidence),
            (
                contract.UNKNOWN_WORDS,
                "Share of a text's words that are not in the model's vocabulary.",
                texts and texts.unknown_words,
            ),
            (contract.TEXT_LENGTH, "Characters of a text.", texts and texts.length),
        ):
            yield _histogram(name, text, ("model_version",), {(version,): distribution} if distribution else {})

    def _feature_families(self) -> Iterator[Metric]:
        rows, version = self.rows, self._version
        labels = ("feature", "model_version")
        for name, text, counts in (
            (contract.FEATURE_MISSING, "Rows in which a feature is missing.", rows and rows.missing),
            (
                contract.FEATURE_OUT_OF_RANGE,
                "Rows in which a feature is outside the range of the training rows.",
                rows and rows.out_of_range,
            ),
        ):
            counter = CounterMetricFamily(name, text, labels=labels)
            for feature, count in (counts or {}).items():
                counter.add_metric((feature, version), count)
            yield counter
        baseline = GaugeMetricFamily(
            contract.FEATURE_BASELINE, "Share of the training rows in which a feature is missing.", labels=labels
        )
        for feature, missing in (rows.baseline_missing if rows else {}).items():
            baseline.add_metric((feature, version), missing)
        yield baseline

    def _info_families(self) -> Iterator[Metric]:
        model = self._model
        baseline = GaugeMetricFamily(
            contract.BASELINE, "Mean of each signal over the hold-out data.", labels=("signal", "model_version")
        )
        info = GaugeMetricFamily(contract.MODEL_INFO, "The loaded model.", labels=("model", "model_version", "digest"))
        if model:
            means = model.manifest.baseline
            for signal in contract.SIGNALS if means else ():
                baseline.add_metric((signal, model.version), getattr(means, signal))
            info.add_metric((model.name, model.version, model.digest), 1)
        yield baseline
        yield info
        build = GaugeMetricFamily(contract.BUILD_INFO, "The running build.", labels=("version", "python", "scorer"))
        build.add_metric((__version__, platform.python_version(), model.scorer_kind if model else "none"), 1)
        yield build
        yield GaugeMetricFamily(
            contract.READY, "1 while the readiness probe answers 200.", value=float(self._load.ready)
        )


def _row_metrics(model: LoadedModel) -> "RowMetrics":
    from inference.model.onnx_model import OnnxModel  # noqa: PLC0415 - only the image `onnx` has what they import
    from inference.serving.row_metrics import RowMetrics  # noqa: PLC0415

    assert isinstance(model, OnnxModel)  # noqa: S101 - the only other kind
    return RowMetrics(model)


def _histogram(
    name: str, text: str, labels: Sequence[str], distributions: dict[tuple[str, ...], Histogram]
) -> HistogramMetricFamily:
    family = HistogramMetricFamily(name, text, labels=labels)
    for values, distribution in distributions.items():
        family.add_metric(values, *distribution.read())
    return family
