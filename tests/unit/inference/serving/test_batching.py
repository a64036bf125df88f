"""Requests that wait for the thread together are answered by one run of an ONNX model, as each would be alone."""

import asyncio
import gzip
import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from onnx import TensorProto, helper

from inference.errors import InvalidInputError
from inference.model.onnx_model import OnnxModel
from inference.serving.application import create_app
from inference.serving.endpoints.batching import MAX_JOBS, Batcher
from inference.serving.endpoints.endpoint import Answered, Body
from inference.serving.endpoints.tensors import TensorEndpoint
from inference.settings import Settings
from tests import onnx_artifacts, onnx_models

RECORDS = [{"age": age, "children": children, "city": "Wien"} for age, children in ((20, 0), (None, 3), (70, 1))]


def _run(count: int, hold: threading.Event) -> tuple[list[list[int]], list[int | BaseException]]:
    """Submit jobs while the first runs; return the batches and the results."""
    batches: list[list[int]] = []

    def answer(jobs: Sequence[int]) -> list[int | Exception]:
        batches.append(list(jobs))
        hold.wait(10)
        return [ValueError(f"job {job}") if job == 2 else 10 * job for job in jobs]

    async def submit() -> list[int | BaseException]:
        with ThreadPoolExecutor(1) as thread:
            batcher: Batcher[int, int] = Batcher(thread, answer)
            waiting = [asyncio.ensure_future(batcher.result(job)) for job in range(count)]
            asyncio.get_running_loop().call_soon(hold.set)
            return await asyncio.gather(*waiting, return_exceptions=True)

    return batches, asyncio.run(submit())


def test_jobs_that_wait_run_together_and_fail_alone() -> None:
    batches, results = _run(5, threading.Event())
    assert [job for batch in batches for job in batch] == [0, 1, 2, 3, 4]
    assert len(batches) < 5
    assert [result for result in results if not isinstance(result, BaseException)] == [0, 10, 30, 40]
    assert isinstance(results[2], ValueError)


def test_a_batch_is_bounded() -> None:
    batches, results = _run(MAX_JOBS + 5, threading.Event())
    assert max(map(len, batches)) <= MAX_JOBS
    assert len(results) == MAX_JOBS + 5


def test_jobs_that_a_batch_leaves_out_are_run_next() -> None:
    batches: list[list[int]] = []

    def answer(jobs: Sequence[int]) -> list[int | Exception]:
        batches.append(list(jobs))
        return list(jobs[:2])

    async def submit() -> list[int]:
        with ThreadPoolExecutor(1) as thread:
            batcher: Batcher[int, int] = Batcher(thread, answer)
            return await asyncio.wait_for(asyncio.gather(*(batcher.result(job) for job in range(5))), 30)

    assert asyncio.run(submit()) == [0, 1, 2, 3, 4]
    assert batches == [[0, 1, 2, 3, 4], [2, 3, 4], [4]]


def test_a_client_that_has_gone_does_not_stop_the_others() -> None:
    """Its job's result is dropped."""

    async def submit() -> int:
        with ThreadPoolExecutor(1) as thread:
            batcher: Batcher[int, int] = Batcher(thread, lambda jobs: [job + 1 for job in jobs])
            gone, stays = (asyncio.ensure_future(batcher.result(job)) for job in (1, 2))
            await asyncio.sleep(0)
            gone.cancel()
            return await stays

    assert asyncio.run(submit()) == 3


def test_no_job_is_left_waiting_when_the_thread_takes_no_more_work() -> None:
    """Those of the batch and those behind it are cancelled, and with a thread that works the next job is run."""
    hold = threading.Event()

    async def submit() -> tuple[list[int | BaseException], int]:
        with ThreadPoolExecutor(1) as thread, ThreadPoolExecutor(1) as another:
            thread.submit(hold.wait, 10)
            batcher: Batcher[int, int] = Batcher(thread, list)
            waiting = [asyncio.ensure_future(batcher.result(job)) for job in range(MAX_JOBS + 5)]
            for _ in range(2):  # the batch is then in the thread's queue
                await asyncio.sleep(0)
            assert len(batcher._waiting) == 5
            thread.shutdown(wait=False, cancel_futures=True)
            hold.set()
            found = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 30)
            batcher._thread = another  # type: ignore[misc]
            return found, await asyncio.wait_for(batcher.result(7), 30)

    found, after = asyncio.run(submit())
    assert [type(each) for each in found] == [asyncio.CancelledError] * (MAX_JOBS + 5)
    assert after == 7


def _endpoints(model: OnnxModel, **settings: Any) -> tuple[TensorEndpoint, TensorEndpoint]:
    given: Any = {"model_uri": "unused", "runtime": "onnx"} | settings
    service = create_app(Settings(**given)).service
    service.add_model(model)
    predict, infer = service.predict_endpoint, service.infer_endpoint
    assert isinstance(predict, TensorEndpoint)
    assert isinstance(infer, TensorEndpoint)
    return predict, infer


def _content(found: Answered | Exception) -> Any:
    assert isinstance(found, Answered), found
    return json.loads(found.answer.body)


def test_each_request_gets_the_answer_that_it_would_get_alone() -> None:
    """Single records, lists, and an invalid one between them."""
    model = onnx_artifacts.loaded(onnx_artifacts.credit())
    predict, infer = _endpoints(model)
    bodies = [Body(json.dumps({"inputs": each}).encode()) for each in (*RECORDS, RECORDS, {"age": 1})]
    *found, wrong = predict._answer_together(bodies)
    for body, together in zip(bodies, found, strict=False):
        alone = predict._answer(model, body)
        assert _content(together) == _content(alone)
        assert isinstance(together, Answered)
        assert together.predictions == alone.predictions
    assert isinstance(wrong, InvalidInputError)
    names = {"age": "FP32", "children": "INT64", "city": "BYTES"}
    tensors = [
        Body(json.dumps({"id": str(age), "inputs": [
            {"name": name, "datatype": names[name], "shape": [1, 1], "data": [value]}
            for name, value in (("age", age), ("children", 1), ("city", "Graz"))
        ]}).encode())
        for age in (10, 60)
    ]  # fmt: skip
    contents = [_content(each) for each in infer._answer_together(tensors)]
    assert contents == [_content(infer._answer(model, each)) for each in tensors]
    assert [each["id"] for each in contents] == ["10", "60"]


def test_rows_of_different_shapes_do_not_run_together() -> None:
    """Pictures of two heights, in turns."""
    model = onnx_artifacts.loaded(onnx_artifacts.pictures())
    predict, _ = _endpoints(model)
    pictures = [[[float(number)] * 4] * height for number, height in enumerate((1, 2, 1, 2))]
    found = predict._answer_together([Body(json.dumps({"inputs": {"pixels": each}}).encode()) for each in pictures])
    assert [_content(each)["values"]["same"] for each in found] == pictures


def test_inputs_in_another_order_do_not_mix_up_shapes() -> None:
    """Shapes are compared by the name of the input, not by its place in the request."""
    graph = onnx_models.graph(
        [helper.make_node("Identity", ["x"], ["a"]), helper.make_node("Identity", ["y"], ["b"])],
        [("x", TensorProto.FLOAT, ["n", "m"]), ("y", TensorProto.FLOAT, ["n", "k"])],
        [("a", TensorProto.FLOAT, ["n", "m"]), ("b", TensorProto.FLOAT, ["n", "k"])],
    )
    _, infer = _endpoints(onnx_artifacts.loaded(onnx_artifacts.imported(graph, "two")))
    bodies = [
        Body(json.dumps({"inputs": [
            {"name": name, "datatype": "FP32", "shape": [1, size], "data": [0.5] * size} for name, size in inputs
        ]}).encode())
        for inputs in ((("x", 2), ("y", 3)), (("y", 2), ("x", 3)))
    ]  # fmt: skip
    shapes = [[each["shape"] for each in _content(found)["outputs"]] for found in infer._answer_together(bodies)]
    assert shapes == [[[1, 2], [1, 3]], [[1, 3], [1, 2]]]


def test_a_run_has_no_more_rows_than_a_request_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """The import has measured the memory for that number."""
    model = onnx_artifacts.loaded(onnx_artifacts.credit())
    predict, _ = _endpoints(model, max_texts=4)
    rows: list[int] = []
    run = model.run

    def counted(tensors: dict[str, Any]) -> list[Any]:
        rows.append(len(tensors["age"]))
        return run(tensors)

    monkeypatch.setattr(model, "run", counted)
    bodies = [Body(json.dumps({"inputs": RECORDS}).encode())] * 3
    found = predict._answer_together(bodies)
    assert all(len(_content(each)["predictions"]) == 3 for each in found)
    assert rows == [3, 3]
    assert len(found) == 2, "the third body is left for the next batch"


@pytest.mark.parametrize("is_compressed", [False, True])
def test_a_long_body_is_answered_alone(monkeypatch: pytest.MonkeyPatch, *, is_compressed: bool) -> None:
    """A batch of long ones would need more memory than the pod's limit allows for."""
    model = onnx_artifacts.loaded(onnx_artifacts.credit())
    monkeypatch.setattr(model, "batches", True)
    predict, _ = _endpoints(model, max_body_bytes=100 * MAX_JOBS)
    batched: list[Body] = []

    def answer(bodies: Sequence[Body]) -> list[Answered | Exception]:
        batched.extend(bodies)
        return [predict._answer(model, body) for body in bodies]

    monkeypatch.setattr(predict._batcher, "_run", answer)
    for inputs, is_batched in ((RECORDS[0], True), (RECORDS[:1] * 20, False)):
        batched.clear()
        content = json.dumps({"inputs": inputs}).encode()
        body = Body(gzip.compress(content) if is_compressed else content, is_compressed=is_compressed)
        found = asyncio.run(predict._answered_later(model, body))
        assert found.answer.status == 200
        assert bool(batched) == is_batched


def test_a_model_whose_rows_depend_on_each_other_is_never_batched() -> None:
    """Its answer to a row depends on the other rows."""
    centred = onnx_models.graph(
        [
            helper.make_node("ReduceMean", ["x"], ["mean"], axes=[0], keepdims=1),
            helper.make_node("Sub", ["x", "mean"], ["y"]),
        ],
        [("x", TensorProto.FLOAT, ["n", 2])],
        [("y", TensorProto.FLOAT, ["n", 2])],
    )
    model = onnx_artifacts.loaded(onnx_artifacts.imported(centred, "centred"))
    assert not model._rows_are_independent()
    assert not model.batches
    assert onnx_artifacts.loaded(onnx_artifacts.credit())._rows_are_independent()
