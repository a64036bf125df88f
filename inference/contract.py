"""The names on which the service, the constructs, the alerts and the dashboard meet.

This module imports nothing but the standard library, so that a synth can read it without the service's dependencies.
Rename a name here and the synth, the rules and the panels follow; nothing else in the project spells one of them.
"""

from typing import Final

# --- where the service listens ------------------------------------------------------------------------------------

PORT: Final = 8000
"""TCP port of every route, the metrics included."""
PORT_NAME: Final = "http"
"""Name of that port in Pods, Services and ServiceMonitors."""

ROOT_PATH: Final = "/"
PREDICT_PATH: Final = "/predict"
LIVENESS_PATH: Final = "/healthz"
READINESS_PATH: Final = "/readyz"
METRICS_PATH: Final = "/metrics"
PAGE_PATH: Final = "/page"
"""Root of the files of the page at ROOT_PATH."""
DOCS_PATH: Final = "/docs"
OPENAPI_PATH: Final = "/openapi.json"
MODEL_PATH: Final = "/model"
"""The model's card: what it is and how well it does."""
PROTOCOL_PATH: Final = "/v2"
"""Root of the Open Inference Protocol v2 (REST)."""

RUNTIMES: Final = ("text", "onnx")
"""What runs a model: the scorers of this package, or ONNX Runtime, which only the image `onnx` contains."""

USER_ID: Final = 1000
"""Numeric user and group that the image runs as."""

# --- how it is configured -----------------------------------------------------------------------------------------

ENV_PREFIX: Final = "INFERENCE_"
"""Prefix of every environment variable of `inference.settings.Settings`: field `model_uri` is `INFERENCE_MODEL_URI`."""

STORE_ACCESS_KEY_ENV: Final = "AWS_ACCESS_KEY_ID"
STORE_SECRET_KEY_ENV: Final = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - a variable's name, not a secret
STORE_ROLE_ENV: Final = "AWS_ROLE_ARN"
STORE_TOKEN_FILE_ENV: Final = "AWS_WEB_IDENTITY_TOKEN_FILE"  # noqa: S105 - a variable's name, not a secret
STORE_STS_ENV: Final = "AWS_ENDPOINT_URL_STS"
STORE_CA_FILE_ENV: Final = "INFERENCE_STORE_CA_FILE"
STORE_PROXY_ENV: Final = "INFERENCE_STORE_PROXY"
STORE_ENDPOINT_ENV: Final = "AWS_ENDPOINT_URL"
STORE_REGION_ENV: Final = "AWS_REGION"
STORE_ALLOW_HTTP_ENV: Final = "AWS_ALLOW_HTTP"
STORE_VIRTUAL_HOSTED_ENV: Final = "AWS_VIRTUAL_HOSTED_STYLE_REQUEST"

STORE_SECRET_NAME: Final = "model-store"  # noqa: S105 - the name of a Kubernetes Secret
"""The Secret in each tenant's namespace that holds the two keys above."""

STORE_CA_NAME: Final = "model-store-ca"
"""The ConfigMap in each tenant's namespace that holds the certificates of the store's authority."""
STORE_CA_KEY: Final = "ca.crt"
STORE_CA_DIR: Final = "/etc/tenantry/model-store-ca"
"""Where this ConfigMap is mounted in pods."""
STORE_TOKEN_DIR: Final = "/var/run/secrets/tenantry.dev/model-store"  # noqa: S105 - a folder, not a secret
"""Where the token of the workload's identity is mounted in pods."""
STORE_TOKEN_KEY: Final = "token"  # noqa: S105 - a file's name, not a secret

API_KEYS_SECRET_NAME: Final = "api-keys"  # noqa: S105 - the name of a Kubernetes Secret
"""The Secret in a tenant's namespace that holds the digests of its callers' API keys."""
API_KEYS_DIR: Final = "/etc/tenantry/api-keys"
"""Where this Secret is mounted in pods."""

MODELS_BUCKET: Final = "models"
DATASETS_BUCKET: Final = "datasets"
ARTIFACTS_BUCKET: Final = "artifacts"

# --- what it measures ---------------------------------------------------------------------------------------------

REQUESTS: Final = "inference_requests_total"
"""Counter {route, outcome}: answered requests; `route` is one of ROUTES, `outcome` one of OUTCOMES."""
REQUEST_DURATION: Final = "inference_request_duration_seconds"
"""Histogram {route}: seconds from the request's first byte to its answer; shed requests are not in it."""
PHASE_DURATION: Final = "inference_phase_duration_seconds"
"""Histogram {phase}: seconds of a prediction spent in each of PHASES."""
IN_FLIGHT: Final = "inference_requests_in_flight"
"""Gauge: requests accepted and not yet answered."""
IN_FLIGHT_LIMIT: Final = "inference_requests_in_flight_limit"
"""Gauge: above this many, requests are shed with status 429."""
SHED: Final = "inference_requests_shed_total"
"""Counter {reason}: requests refused to protect the others; `reason` is one of SHED_REASONS."""
PREDICTIONS: Final = "inference_predictions_total"
"""Counter {label, model_version}: texts or rows answered; `label` is `value` if the model is not a classifier."""
CONFIDENCE: Final = "inference_prediction_confidence"
"""Histogram {model_version}: probability of the predicted label, 0 to 1."""
UNKNOWN_WORDS: Final = "inference_text_unknown_words_ratio"
"""Histogram {model_version}: share of a text's words that the model's vocabulary lacks, 0 to 1."""
TEXT_LENGTH: Final = "inference_text_length_characters"
"""Histogram {model_version}: characters of a text."""
BASELINE: Final = "inference_baseline_mean"
"""Gauge {signal, model_version}: mean of each of SIGNALS on the training data's hold-out, for drift."""
FEATURE_MISSING: Final = "inference_feature_missing_total"
"""Counter {feature, model_version}: rows in which a feature of a tabular model is missing."""
FEATURE_OUT_OF_RANGE: Final = "inference_feature_out_of_range_total"
"""Counter {feature, model_version}: rows in which a feature is outside the range of the training rows."""
FEATURE_BASELINE: Final = "inference_feature_baseline_missing_ratio"
"""Gauge {feature, model_version}: share of the training rows in which a feature is missing, 0 to 1."""
MODEL_INFO: Final = "inference_model_info"
"""Gauge {model, model_version, digest}: 1 for the model that is loaded."""
BUILD_INFO: Final = "inference_build_info"
"""Gauge {version, python, scorer}: 1; `scorer` is `compiled`, `python`, or the version of ONNX Runtime."""
CALLER_REQUESTS: Final = "inference_caller_requests_total"
"""Counter {caller}: requests accepted; `caller` is a name of the Secret `api-keys`, `anonymous` or `unknown`."""
CALLER_TEXTS: Final = "inference_caller_texts_total"
"""Counter {caller}: texts, or rows of tensors, that were answered."""
CALLER_SECONDS: Final = "inference_caller_work_seconds_total"
"""Counter {caller}: seconds that the service spent on parsing and predicting for the caller."""
CALLER_REJECTED: Final = "inference_caller_requests_rejected_total"
"""Counter {caller, reason}: requests refused because of who sends them; `reason` is one of REJECT_REASONS."""
API_KEY_CALLERS: Final = "inference_api_key_callers"
"""Gauge: callers that have an API key; 0 if no key is required."""
API_KEYS_VALID: Final = "inference_api_keys_valid"
"""Gauge: 1 unless the Secret with the API keys is invalid, and the keys that were read before are in force."""
READY: Final = "inference_ready"
"""Gauge: 1 while the readiness probe answers 200, else 0."""

ROUTES: Final = ("predict", "infer", "other")
"""Values of `route`: POST /predict, POST /v2/.../infer, everything else; a client cannot add one."""
OUTCOMES: Final = ("ok", "client_error", "server_error", "shed")
"""Values of `outcome`: 2xx and 3xx, 4xx other than shed, 5xx, shed (429)."""
PHASES: Final = ("queue", "parse", "predict")
RATE_LIMIT: Final = "rate_limit"
"""Value of `reason` for a request above its caller's own limit."""
SHED_REASONS: Final = ("in_flight", "draining", RATE_LIMIT)
UNAUTHORIZED: Final = "unauthorized"
"""Value of `reason` for a request without a valid key."""
EXPIRED: Final = "expired"
"""Value of `reason` for a request with a key that has expired."""
REJECT_REASONS: Final = (UNAUTHORIZED, EXPIRED, RATE_LIMIT)
SIGNALS: Final = ("confidence", "unknown_words_ratio", "length_characters")

METRICS: Final = (
    REQUESTS,
    REQUEST_DURATION,
    PHASE_DURATION,
    IN_FLIGHT,
    IN_FLIGHT_LIMIT,
    SHED,
    PREDICTIONS,
    CONFIDENCE,
    UNKNOWN_WORDS,
    TEXT_LENGTH,
    BASELINE,
    MODEL_INFO,
    BUILD_INFO,
    CALLER_REQUESTS,
    CALLER_TEXTS,
    CALLER_SECONDS,
    CALLER_REJECTED,
    API_KEY_CALLERS,
    API_KEYS_VALID,
    READY,
)
"""Every metric of the service's own, whatever the model."""
FEATURE_METRICS: Final = (FEATURE_MISSING, FEATURE_OUT_OF_RANGE, FEATURE_BASELINE)
"""The metrics that only a tabular model with a baseline has."""

LATENCY_BUCKETS: Final = (
    0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
)  # fmt: skip
"""Upper bounds, seconds, of the latency histograms: a latency objective must be one of them."""
RATIO_BUCKETS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Upper bounds of the histograms of shares and probabilities."""
LENGTH_BUCKETS: Final = (10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
"""Upper bounds, characters, of the text length histogram."""
LOW_CONFIDENCE: Final = 0.7
"""At or below this a prediction counts as of low confidence; one of RATIO_BUCKETS."""
