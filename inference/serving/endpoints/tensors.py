"""The endpoints of an ONNX model: `POST /predict` with records, and the protocol's `infer` with tensors."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from math import isfinite
from time import perf_counter
from typing import Any, Final

import msgspec
import numpy as np

from inference.errors import BadRequestError, InvalidInputError, ModelInputError
from inference.model.onnx_model import Array, OnnxModel
from inference.model.signature import FREE
from inference.serving.callers.callers import Caller
from inference.serving.compression import content_bytes
from inference.serving.endpoints.batching import MAX_JOBS, Batcher
from inference.serving.endpoints.endpoint import Answered, Body, Endpoint, Read
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
        self._batcher: Final = Batcher(thread, self._answer_together)
        # All bodies of a batch are decoded at the same time; the memory limit covers one body of the maximum size.
        self._max_batched_bytes: Final = settings.max_body_bytes // MAX_JOBS

    def use(self, model: OnnxModel) -> None:
        """Answer with `model`; short requests on the event loop if it is fast enough."""
        super().use(model)
        self.batched_bytes = self._max_batched_bytes if model.batches else -1
        row_values = sum(spec.row_elements for spec in model.signature.inputs)
        rows = int(_LOOP_SECONDS / model.row_seconds)
        self.offload_bytes = min(self._settings.offload_bytes, rows * row_values * _BYTES_PER_VALUE)
        if not any(FREE in spec.row_shape for spec in model.signature.inputs):
            self._max_values = self._settings.max_texts * row_values * 2 + _OTHER_VALUES

    def answer_together(self, requests: Sequence[tuple[bytes, Caller]]) -> list[Answer | Exception]:
        """Answer bodies that are JSON in one run of the model."""
        taken = requests[:MAX_JOBS]
        answers: list[Answer | Exception] = []
        found = self._answer_together([Body(body) for body, _ in taken])
        for each, (_, caller) in zip(found, taken, strict=False):
            if isinstance(each, Answered):
                self._count(each, caller)
                answers.append(each.answer)
            else:
                answers.append(each)
        return answers

    async def _answered_later(self, model: OnnxModel, body: Body) -> Answered:
        """Answer a body in the thread; a short one with others that wait, if that is faster."""
        size = content_bytes(body.content, self._settings) if body.is_compressed else len(body.content)
        if size <= self.batched_bytes:
            return await self._batcher.result(body)
        return await super()._answered_later(model, body)

    def _answer_together(self, bodies: Sequence[Body]) -> list[Answered | Exception]:
        """Run the model once for all bodies that fit together.

        Bodies are left for the next time when those before them have as many rows as one request may have: answers take
        memory that is not counted, and may be much longer than the bodies.
        """
        model = self._loaded()
        rows = 0
        found: list[Answered | Exception | None] = [None] * len(bodies)
        batches: dict[Any, list[tuple[int, Read]]] = {}
        for place, body in enumerate(bodies):
            if rows >= self._settings.max_texts:
                break
            try:
                read = self._read(body)
            except Exception as error:  # noqa: BLE001 - of this body alone
                found[place] = error
            else:
                alike = tuple(read.inputs[each.name].shape[1:] for each in model.signature.inputs)
                batches.setdefault(alike, []).append((place, read))
                rows += self._size(read.inputs)
        for batch in batches.values():
            for part in self._parts(batch):
                for (place, _), answered in zip(
                    part, self._answer_part(model, [read for _, read in part]), strict=True
                ):
                    found[place] = answered
        return [each for each in found if each is not None]

    def _parts(self, batch: Sequence[tuple[int, Read]]) -> Iterator[list[tuple[int, Read]]]:
        """Cut a batch so that no part has more rows than a request may have, which bounds the memory of a run."""
        part: list[tuple[int, Read]] = []
        rows = 0
        for each in batch:
            size = self._size(each[1].inputs)
            if part and rows + size > self._settings.max_texts:
                yield part
                part, rows = [], 0
            part.append(each)
            rows += size
        if part:
            yield part

    def _answer_part(self, model: OnnxModel, reads: Sequence[Read]) -> Iterator[Answered | Exception]:
        """Run the model once and return the answer to each request; one by one if it cannot run on all of them."""
        began = perf_counter()
        together = self._run_together(model, reads)
        sizes = [self._size(read.inputs) for read in reads]
        share = (perf_counter() - began) / sum(sizes)
        start = 0
        for read, size in zip(reads, sizes, strict=True):
            answer_began = perf_counter()
            try:
                if together is None:
                    answer, tally = self._score(model, read.request, read.inputs)
                else:
                    outputs = {name: array[start : start + size] for name, array in together.items()}
                    answer, tally = self._respond(model, read.request, read.inputs, outputs)
            except Exception as error:  # noqa: BLE001 - of this request alone
                yield error
            else:
                seconds = perf_counter() - answer_began + share * size
                yield Answered(answer, read.inputs, tally, read.began, read.ended, read.ended + seconds)
            start += size

    def _run_together(self, model: OnnxModel, reads: Sequence[Read]) -> dict[str, Array] | None:
        """Return the outputs for the rows of all requests; None for a single one, or if the model cannot run on all."""
        if len(reads) == 1:
            return None
        try:
            return self._run(
                model, {name: np.concatenate([read.inputs[name] for read in reads]) for name in reads[0].inputs}
            )
        except self.invalid:
            return None

    def _score(self, model: OnnxModel, request: Any, inputs: dict[str, Array]) -> tuple[Answer, Tally | None]:
        return self._respond(model, request, inputs, self._run(model, inputs))

    @abstractmethod
    def _respond(
        self, model: OnnxModel, request: Any, inputs: dict[str, Array], outputs: Mapping[str, Array]
    ) -> tuple[Answer, Tally | None]:
        """Return the answer that holds these outputs, and what it adds to the metrics."""

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
        if request.probabilities and not self._loaded().probabilities:
            raise InvalidInputError("'probabilities' must be false: the model is not a classifier, it answers values")
        records = request.inputs if isinstance(request.inputs, list) else [request.inputs]
        if len(records) > self._settings.max_texts:
            raise InvalidInputError(f"{len(records)} records; a request has at most {self._settings.max_texts}")
        return self._records.arrays(records)

    def _respond(
        self, model: OnnxModel, request: RecordsRequest, inputs: dict[str, Array], outputs: Mapping[str, Array]
    ) -> tuple[Answer, Tally | None]:
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

    def _respond(
        self, model: OnnxModel, request: TensorRequest, inputs: dict[str, Array], outputs: Mapping[str, Array]
    ) -> tuple[Answer, Tally | None]:
        response, tensors = infer_response(model, requested_outputs(request, self._names), request.id, outputs)
        content = _encode(response)
        if tensors is None:
            return Answer(200, JSON, content), self._tally(inputs, outputs)
        headers = ((HEADER.decode(), str(len(content))),)
        return Answer(200, OCTET_STREAM, content + tensors, headers), self._tally(inputs, outputs)


def _classified(model: OnnxModel, outputs: Mapping[str, Array], *, detailed: bool) -> list[PredictResponse]:
    """The most probable label of each row, the first of equals; `detailed`: with the probability of every label."""
    answers = []
    for index, row in enumerate(outputs[model.probabilities].tolist()):  # faster than NumPy for one row
        if not all(map(isfinite, row)):
            raise InvalidInputError(f"record {index} has values for which the model has no probabilities")
        highest = max(row)
        answer = PredictResponse(model.labels[row.index(highest)], min(max(highest, 0.0), 1.0))  # a model rounds
        if detailed:
            shares = (min(max(each, 0.0), 1.0) for each in row)
            answer.probabilities = dict(zip(model.labels, shares, strict=True))
        answers.append(answer)
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
