"""Answers the requests of one client's connection, each in its turn.

A whole request is counted in, or refused at once. A short one for a route that predicts is answered right here, after
all that the loop has just read is read, so that what waits is counted; everything else goes the way of ASGI.
"""

import asyncio
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from inference.errors import BadRequestError, RequestError
from inference.serving.application import BEGAN, failed, send_answer
from inference.serving.limits import EXEMPT
from inference.serving.metrics import QUEUE
from inference.serving.problems import JSON, Answer
from inference.serving.problems import answer as told
from inference.serving.reading import Phase, Reader

if TYPE_CHECKING:
    from inference.serving.endpoints import Endpoint

_EXEMPT: Final = frozenset(path.encode() for path in EXEMPT)
_MOST_AHEAD: Final = 16
"""Requests that a client may send before it has read the answer to an earlier one: it must not fill the queue alone."""


class _Turn(NamedTuple):
    """An ASGI application whose turn will come, and the bytes to give back then; None: the request was not counted."""

    app: Any
    body_bytes: int | None


class Connection(Reader):
    """See the module."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._targets: Final = self.service.endpoints_by_target
        self._queue_seconds: Final = self.service.metrics.phases[QUEUE]
        self._offload_bytes: Final = self.settings.offload_bytes
        # The request that waits for its turn to be answered here, if there is one.
        self._endpoint: Endpoint | None = None
        self._whole_body = b""
        self._received = 0.0
        self._keep_alive = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Give back what waits in vain."""
        if self._endpoint is not None:
            self._endpoint = None
            self._release(len(self._whole_body))
        for _, turn in self.pipeline:
            self._finished(turn)  # type: ignore[arg-type] # ours, not uvicorn's
        self.pipeline.clear()
        super().connection_lost(exc)

    def on_request(self, body: bytes) -> None:
        """Count a whole request in and answer it in its turn, or refuse it."""
        admission = self.admission
        if len(self.pipeline) >= _MOST_AHEAD:
            admission.buffered_bytes -= len(body)
            self.refuse_in_parser(BadRequestError(f"more than {_MOST_AHEAD} requests ahead of their answers"))
        if admission.in_flight >= admission.max_in_flight and self.url not in _EXEMPT:
            admission.buffered_bytes -= len(body)
            self._refuse_in_turn(self.shed())
            return
        admission.in_flight += 1
        endpoint = self._targets.get(self.url)
        if (
            endpoint is not None
            and len(body) <= self._offload_bytes
            and not (self.is_binary or self.flow.write_paused or self.is_answering())
            and self.parser.get_method() == b"POST"
        ):
            self._endpoint = endpoint
            self._whole_body = body
            self._received = perf_counter()
            self._keep_alive = self.parser.should_keep_alive() and not admission.draining
            self.loop.call_soon(self.flush)
            return
        try:
            self._start_cycle(body, _Turn(self.service, len(body)))
        except BaseException:  # a target that cannot be parsed: the request is malformed after all
            self._release(len(body))
            raise

    def flush(self) -> None:
        """Answer the request whose turn it is; it may be answered already, since another one came behind it."""
        endpoint = self._endpoint
        if endpoint is None:
            return
        self._endpoint = None
        self._queue_seconds.add(perf_counter() - self._received)
        try:
            answer = Answer(200, JSON, endpoint.answer(self._whole_body))
        except Exception as error:  # noqa: BLE001 - nothing that a client sends may end in a stack trace
            answer = failed(error, self.path())
        self._release(len(self._whole_body))
        self._whole_body = b""
        self.state.total_requests += 1
        self._wait_for_next()
        self.write(answer, keep_alive=self._keep_alive)
        self.service.record(endpoint.route, answer.status, perf_counter() - self.began)

    def is_answering(self) -> bool:
        """Whether an ASGI application has not finished with an earlier request of this connection."""
        return self.cycle is not None and not self.cycle.response_complete

    def end_after_answer(self) -> None:
        """Close when the answers that are due are written."""
        self._keep_alive = False
        if self.is_answering():
            self.cycle.keep_alive = False

    def on_response_complete(self) -> None:
        """Go on with the next request of this connection; an ASGI application has answered the last one."""
        self.state.total_requests += 1
        if self.transport.is_closing():
            self.end()
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self.phase is Phase.ANSWER:
            self._wait_for_next()

    def _wait_for_next(self) -> None:
        self.phase = Phase.IDLE
        self.deadline = self.now() + self.settings.keep_alive_seconds

    def _start_cycle(self, body: bytes, turn: _Turn) -> None:
        """Hand a whole request to an ASGI application, in its turn, by uvicorn's own means."""
        headers, url = self.headers, self.url
        self.app = turn
        HttpToolsProtocol.on_message_begin(self)  # makes the scope, and forgets what it will be made of
        self.headers.extend(headers)
        self.url = url
        self.scope[BEGAN] = self.began  # type: ignore[typeddict-unknown-key]
        HttpToolsProtocol.on_headers_complete(self)
        if body:
            HttpToolsProtocol.on_body(self, body)
        HttpToolsProtocol.on_message_complete(self)
        if self.admission.draining:
            self.cycle.keep_alive = False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        turn: _Turn = app
        task = self.loop.create_task(cycle.run_asgi(turn.app))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        task.add_done_callback(partial(self._finished, turn))

    def _finished(self, turn: _Turn, _task: "asyncio.Task[None] | None" = None) -> None:
        if turn.body_bytes is not None:
            self._release(turn.body_bytes)

    def _release(self, body_bytes: int) -> None:
        self.admission.in_flight -= 1
        self.admission.buffered_bytes -= body_bytes

    def _refuse_in_turn(self, error: RequestError) -> None:
        """Answer a whole request with `error`, and keep the connection."""
        answer = told(error, self.path())
        if self.is_answering():
            self._start_cycle(b"", _Turn(partial(_refuse, answer), None))
            return
        self.state.total_requests += 1
        self._wait_for_next()
        self.write(answer, keep_alive=self.parser.should_keep_alive() and not self.admission.draining)


async def _refuse(answer: Answer, _scope: Scope, _receive: Receive, send: Send) -> None:
    await send_answer(answer, send)
