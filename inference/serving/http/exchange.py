"""One request, from its admission to its answer."""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Any, Final

import structlog
from starlette.types import ASGIApp

from inference import contract
from inference.errors import NotReadyError, OverloadedError, RequestError
from inference.serving import problems
from inference.serving.endpoints.endpoint import Endpoint
from inference.serving.http.asgi import ask
from inference.serving.http.request import Request
from inference.serving.limits import BurstLog, Peer, shed_reason, too_late
from inference.serving.metrics import QUEUE
from inference.serving.problems import Answer
from inference.serving.service import Service, Short

_log = structlog.get_logger()
_bursts: Final = {reason: BurstLog() for reason in contract.SHED_REASONS}


class Exchange:
    """Counts a request as in flight, or refuses it; answers it; counts it no longer.

    Args:
        service: What answers short predictions.
        app: What answers everything else.
        peer: Whose request it is.
        request: A whole request, or one that is refused.

    Attributes:
        request: The same.
        task: What answers it, if that takes time.
    """

    __slots__ = ("_admission", "_app", "_began", "_is_counted", "_peer", "_route", "_service", "request", "task")

    def __init__(self, service: Service, app: ASGIApp, peer: Peer, request: Request) -> None:
        self.request = request
        self.task: asyncio.Task[Answer] | None = None
        self._service = service
        self._app = app
        self._peer = peer
        self._is_counted = False
        self._began = perf_counter()
        self._route = service.routes.find(request.method, request.target)
        self._admission = admission = service.admission
        if request.refusal is None:
            if admission.is_full(peer) and not self._route.is_exempt:
                request.refusal = admission.refusal(peer)
                request.body = b""
            else:
                admission.add_request(peer)
                self._is_counted = True
                if self._route.is_protected:
                    self._admit()

    def _admit(self) -> None:
        """Refuse the request unless its caller is allowed to send it."""
        request = self.request
        try:
            request.caller = self._service.callers.admit(request.headers)
        except RequestError as error:
            request.refusal = error
            request.body = b""

    @property
    def path(self) -> str:
        """The request's path as it was sent."""
        return self.request.target.partition(b"?")[0].decode("latin-1")

    @property
    def is_running(self) -> bool:
        """Whether a task still works on it."""
        return self.task is not None and not self.task.done()

    def answer(self) -> Answer | None:
        """The answer, if it is a refusal or a short prediction; anything else takes a task."""
        if self.request.refusal is not None:
            return problems.answer(self.request.refusal, self.path)
        endpoint = self.endpoint
        if endpoint is None:
            return None
        self.count_wait()
        return self._service.answer_now(endpoint, *self.short)

    @property
    def endpoint(self) -> Endpoint[Any] | None:
        """What answers the request on the event loop: a short prediction that is not refused."""
        request, endpoint = self.request, self._route.endpoint
        if endpoint is None or request.refusal is not None:
            return None
        return None if request.is_binary or len(request.body) > endpoint.offload_bytes else endpoint

    @property
    def short(self) -> Short:
        """What its endpoint answers."""
        assert self.request.caller is not None  # noqa: S101 - every route with an endpoint is protected
        return Short(self.request.body, self.path, self.request.caller)

    @property
    def joins_others(self) -> bool:
        """Whether to answer it together with other requests that have been received."""
        endpoint = self.endpoint
        return (
            endpoint is not None and len(self.request.body) <= endpoint.batched_bytes and self._admission.in_flight > 1
        )

    def count_wait(self) -> None:
        """Measure how long it has waited for the event loop."""
        self._service.metrics.phases[QUEUE].add(perf_counter() - self._began)

    def start_task(self, addresses: tuple[Any, Any], on_done: Callable[["asyncio.Task[Answer]"], None]) -> None:
        """Let the application answer; `on_done` is called when it has."""
        self.task = asyncio.get_running_loop().create_task(ask(self._app, self.request, addresses))
        self.task.add_done_callback(on_done)

    def task_answer(self) -> Answer:
        """The answer of a task that has ended, well or not."""
        task, self.task = self.task, None
        if task is None or task.cancelled():
            return problems.answer(too_late(), self.path)
        error = task.exception()
        return problems.failed(error, self.path) if error else task.result()

    def record(self, answer: Answer, *, is_task: bool) -> None:
        """Measure the answer; the application measures its own."""
        service, error = self._service, self.request.refusal
        service.answered += 1
        if isinstance(error, OverloadedError | NotReadyError):
            reason = shed_reason(error)
            service.metrics.add_shed(self._route.label, reason)
            if count := _bursts[reason].add():
                in_flight, limit = self._admission.in_flight, self._admission.max_in_flight
                _log.warning("requests shed", reason=reason, count=count, in_flight=in_flight, limit=limit)
        elif not is_task:
            service.record(self._route.label, answer.status, perf_counter() - self.request.began)

    def end(self) -> None:
        """Count the request no longer; safe to call more than once."""
        if self._is_counted:
            self._is_counted = False
            self._admission.remove_request(self._peer)
