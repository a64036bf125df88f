"""The service's settings: field `model_uri` is environment variable `INFERENCE_MODEL_URI`, and so on.

The settings of the object store are in `inference.store.bucket.StoreSettings`.
"""

from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from inference import contract
from inference.address import ModelUri
from inference.origins import parse_origins


def _model_uri(value: str) -> str:
    ModelUri.parse(value)
    return value


def _origins(value: str) -> str:
    parse_origins(value)
    return value


Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


BASE_BYTES: Final = 168 * 2**20
"""The interpreter, the service and a model of MODEL_BYTES."""
MODEL_BYTES: Final = 64 * 2**20
"""The model that the memory formula assumes unless another size is given."""
CONNECTION_BYTES: Final = 24 * 2**10
"""A connection: its objects, and what it holds without being counted in max_buffered_bytes."""
BODY_COPIES: Final = 24
"""A body that is being answered, in all its forms: bytes, text of up to 4 bytes per character, lower case, answer."""

MEMORY_SETTINGS: Final = ("max_buffered_bytes", "max_connections", "max_body_bytes")
"""The settings that decide how much memory the process can take."""


def memory_bytes(
    *, max_buffered_bytes: int, max_connections: int, max_body_bytes: int, model_bytes: int = MODEL_BYTES
) -> int:
    """The most memory that the process takes with a model of up to `model_bytes`, by its settings."""
    held = max_buffered_bytes * 5 // 4  # growing bodies take up to an eighth more, and so do their parts
    fixed = BASE_BYTES - MODEL_BYTES + model_bytes
    return fixed + held + max_connections * CONNECTION_BYTES + max_body_bytes * BODY_COPIES


class Settings(BaseSettings):
    """The settings of one process. A setting that is missing or wrong is named, and the process does not start."""

    model_config = SettingsConfigDict(
        env_prefix=contract.ENV_PREFIX, frozen=True, protected_namespaces=(), use_attribute_docstrings=True
    )

    model_uri: Annotated[str, AfterValidator(_model_uri)]
    """Where the model is: `file:<folder>` or `s3://models/<tenant>/<name>[@sha256:<digest>]`. Required."""

    runtime: Literal["text", "onnx"] = "text"
    """What runs the model: `text`, or `onnx` for an ONNX model; the image `onnx` sets it. Another model is refused."""

    host: str = "::"
    """Address to listen on; `::` for IPv6 and IPv4 together, or for IPv4 alone where the system has no IPv6."""
    port: Annotated[int, Field(ge=0, le=65535)] = contract.PORT
    """TCP port of every route; 0: any free port, which the start line of the log names."""
    backlog: Count = 2048
    """Connections that wait in the kernel until the service accepts them."""

    max_header_bytes: Count = 32_768
    """Bytes of a request's line and headers; above: 431."""
    max_body_bytes: Count = 2_097_152
    """Bytes of a request's body, and of its content if it is compressed; above: 413."""
    max_texts: Count = 1_000
    """Texts, or rows of an ONNX model, in one request; above: 422."""
    max_text_characters: Count = 1_000_000
    """Characters of one text; above: 422."""
    max_explained_terms: Count = 1_000
    """Terms in the explanations of a request, divided among its texts."""
    max_explained_characters: Count = 100_000
    """Characters of all texts of a request with `explain`; above: 422. An explanation costs ten times a prediction."""
    max_in_flight: Count = 512
    """Requests received and not yet answered; above: 429, except for probes and metrics."""
    max_buffered_bytes: Count = 67_108_864
    """Bytes held of requests and of answers that clients do not read; above, the slowest client is refused."""
    max_connections: Count = 4_096
    """Open connections; above, the one that has been silent longest is closed."""
    max_peer_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of max_in_flight, max_buffered_bytes and max_connections that one client address may take; an IPv6 address
    counts as its /64 network. 1: all clients come through one gateway."""

    header_timeout_seconds: Seconds = 10
    """Time for the headers of a request, from its first byte (for a connection's first request, from its opening)."""
    body_timeout_seconds: Seconds = 30
    """Time for the body of a request, from the end of its headers, and for a client to read an answer."""
    keep_alive_seconds: Seconds = 75
    """Time after which an idle connection is closed; must be longer than that of a load balancer in front."""

    api_keys_dir: str = ""
    """Folder with the digests of the callers' API keys, one file per caller; empty: no key is required."""
    api_keys_reload_seconds: Seconds = 2
    """Pause between two looks at that folder."""
    allowed_origins: Annotated[str, AfterValidator(_origins)] = ""
    """Origins of web pages that may call the service, separated by spaces, as in `https://app.example.com`; empty:
    none."""
    limit_requests_per_second: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0
    """Requests per second and pod of one caller, or of all callers if no key is required; above: 429. 0: no limit."""
    limit_burst: Count = 1
    """Requests that such a caller may send at once after a pause."""
    limit_texts_per_minute: Annotated[int, Field(ge=0)] = 0
    """Texts per minute and pod of such a caller, counted when they are answered; above: 429. 0: no limit."""

    offload_bytes: Count = 20_000
    """A larger body is decoded and scored in a thread, so that other requests do not wait for it."""

    load_retry_seconds: Seconds = 1
    """Pause after the first failed attempt to reach the model store; it doubles with each further attempt."""
    load_retry_max_seconds: Seconds = 30
    """Longest pause between attempts to reach the model store."""

    drain_seconds: Seconds = 20
    """Longest time from SIGTERM to the end of the process; connections that are still open then are aborted."""
    drain_notice_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1
    """Part of drain_seconds in which new requests are still answered, because load balancers need time to notice."""

    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"
    """Lowest level that is logged."""
    access_log: bool = False
    """Whether every answer is logged: route, status and seconds, never a text."""

    def memory_bytes(self) -> int:
        """The most memory that the process takes with a model of up to 64 MiB; docs/service.md explains it."""
        return memory_bytes(**{name: getattr(self, name) for name in MEMORY_SETTINGS})

    @model_validator(mode="after")
    def _parts_within_wholes(self) -> Self:
        for part, whole in (
            ("max_body_bytes", "max_buffered_bytes"),
            ("drain_notice_seconds", "drain_seconds"),
            ("load_retry_seconds", "load_retry_max_seconds"),
        ):
            small, large = getattr(self, part), getattr(self, whole)
            if small > large:
                raise ValueError(f"{part} ({small:g}) must be at most {whole} ({large:g}); lower it or raise {whole}")
        return self
