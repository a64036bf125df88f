"""The endpoints of an ONNX model: `POST /predict` with records, and the protocol's `infer` with tensors."""

from collections.abc import Mapping
from concurrent.futures import Executor
from typing import Any, Final

import msgspec
import numpy as np

from inference.errors import BadRequestError, InvalidInputError, ModelInputError
from inference.model.onnx_model import Array, OnnxModel
from inference.model.signature import FREE
from inference.serving.endpoints.endpoint import Endpoint
from inference.serving.endpoints.records import Records
from inference.serving.limits import Admission
from inference.serving.metrics import INFER, PREDICT, Metrics
from inference.serving.problems import JSON, OCTET_STREAM, Answer
from inference.serving.protocol.binary import HEADER
from inference.serving.protocol.outputs import requested_outputs
from inference.serving.protocol.tensor_messages import TensorRequest
from inference.serving.protocol.tensors import infer_response, read_binary, request_arrays
from inference.serving.row_metrics import Tally
from inference.serving.schemas import (
    BatchResponse,
    PredictResponse,
    RecordsRequest,
    ValuesBatchResponse,
    ValuesResponse,
)
from inference.settings import Settings

_encode = msgspec.json.Encoder().encode
_LOOP_SECONDS: Final = 0.001
"""A request that could take longer is answered in the thread, so that others do not wait for it."""
_BYTES_PER_VALUE: Final = 2
"""A value of JSON has at least so many bytes, with its comma."""
_OTHER_VALUES: Final = 1_000


class TensorEndpoint(Endpoint[OnnxModel]):
    """An endpoint whose inputs are arrays, one per input of the model."""

    def __init__(self, settings: Settings, metrics: Metrics, admission: Admission, thread: Executor) -> None:
        super().__init__(settings, metrics, admission, thread, max_values=settings.max_body_bytes // _BYTES_PER_VALUE)
        self.offload_bytes = 0  # until a model is known to be fast

    def use(self, model: OnnxModel) -> None:
        """Answer with `model`; short requests on the event loop if it is fast enough."""
        super().use(model)
        row_values = sum(spec.row_elements for spec in model.signature.inputs)
        rows = int(_LOOP_SECONDS / model.row_seconds)
        self.offload_bytes = min(self._settings.offload_bytes, rows * row_values * _BYTES_PER_VALUE)
        if not any(FREE in spec.row_shape for spec in model.signature.inputs):
            self._max_values = self._settings.max_texts * row_values * 2 + _OTHER_VALUES

    def _run(self, model: OnnxModel, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """Return all outputs, by name."""
        try:
            return dict(zip((spec.name for spec in model.outputs), model.run(arrays), strict=True))
        except ModelInputError as error:
            raise self.invalid(str(error)) from error

    def _size(self, inputs: Mapping[str, Array]) -> int:
        return max((int(array.shape[0]) for array in inputs.values() if array.shape), default=1)

    def _tally(self, inputs: Mapping[str, Array], outputs: Mapping[str, Array]) -> Tally | None:
        metrics = self._metrics.rows
        return metrics.tally(inputs, outputs) if metrics else None

    def _count_predictions(self, _inputs: Mapping[str, Array], predictions: Tally | None) -> None:
        if predictions and self._metrics.rows:
            self._metrics.rows.add(predictions)


class RecordsEndpoint(TensorEndpoint):
    """POST /predict with records."""

    route = PREDICT
    request_type = RecordsRequest
    invalid = InvalidInputError

    def use(self, model: OnnxModel) -> None:
        """Answer with `model`."""
        super().use(model)
        self._records = Records(model.signature)

    def _inputs(self, request: RecordsRequest) -> dict[str, Array]:
        records = request.inputs if isinstance(request.inputs, list) else [request.inputs]
        if len(records) > self._settings.max_texts:
            raise InvalidInputError(f"{len(records)} records; a request has at most {self._settings.max_texts}")
        return self._records.arrays(records)

    def _score(
        self, model: OnnxModel, request: RecordsRequest, inputs: dict[str, Array]
    ) -> tuple[Answer, Tally | None]:
        if request.probabilities and not model.probabilities:
            raise InvalidInputError("'probabilities' must be false: the model is not a classifier, it answers values")
        outputs = self._run(model, inputs)
        answers: list[Any] = (
            _classified(model, outputs, detailed=request.probabilities)
            if model.probabilities
            else _values(model, outputs)
        )
        if not isinstance(request.inputs, list):
            content = _encode(answers[0])
        else:
            content = _encode(BatchResponse(answers) if model.probabilities else ValuesBatchResponse(answers))
        return Answer(200, JSON, content), self._tally(inputs, outputs)


class TensorInferEndpoint(TensorEndpoint):
    """POST /v2/models/{model}/infer with tensors."""

    route = INFER
    request_type = TensorRequest
    invalid = BadRequestError

    def use(self, model: OnnxModel) -> None:
        """Answer with `model`."""
        super().use(model)
        self._specs = {spec.name: spec for spec in model.inputs}
        self._names = tuple(spec.name for spec in model.outputs)

    def _read_binary(self, request: TensorRequest, raw: bytes) -> None:
        read_binary(request, raw)

    def _inputs(self, request: TensorRequest) -> dict[str, Array]:
        requested_outputs(request, self._names)  # refuses an output that does not exist before the model runs
        return request_arrays(request, self._specs, self._settings.max_texts)

    def _score(self, model: OnnxModel, request: TensorRequest, inputs: dict[str, Array]) -> tuple[Answer, Tally | None]:
        outputs = self._run(model, inputs)
        response, tensors = infer_response(model, requested_outputs(request, self._names), request.id, outputs)
        content = _encode(response)
        if tensors is None:
            return Answer(200, JSON, content), self._tally(inputs, outputs)
        headers = ((HEADER.decode(), str(len(content))),)
        return Answer(200, OCTET_STREAM, content + tensors, headers), self._tally(inputs, outputs)


def _classified(model: OnnxModel, outputs: Mapping[str, Array], *, detailed: bool) -> list[PredictResponse]:
    """The most probable label of each row, the first of equals; `detailed`: with the probability of every label."""
    found = outputs[model.probabilities]
    if not (finite := np.isfinite(found).all(axis=1)).all():
        raise InvalidInputError(f"record {int(finite.argmin())} has values for which the model has no probabilities")
    places = found.argmax(axis=1).tolist()
    probabilities = found.clip(0.0, 1.0)  # a model rounds
    answers = [
        PredictResponse(model.labels[place], confidence)
        for place, confidence in zip(places, probabilities.max(axis=1).tolist(), strict=True)
    ]
    if detailed:
        for answer, row in zip(answers, probabilities.tolist(), strict=True):
            answer.probabilities = dict(zip(model.labels, row, strict=True))
    return answers


def _values(model: OnnxModel, outputs: Mapping[str, Array]) -> list[ValuesResponse]:
    """Each output of each row: its one element, or its elements as nested lists."""
    columns = [_cells(outputs[spec.name]) for spec in model.outputs]
    names = [spec.name for spec in model.outputs]
    return [ValuesResponse(dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]


def _cells(array: Array) -> list[Any]:
    rows = array.shape[0]
    cells: list[Any] = (array.reshape(rows) if array.size == rows else array).tolist()
    return cells
