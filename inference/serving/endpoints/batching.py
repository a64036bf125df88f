"""Requests that wait for the thread are answered together. No request waits for others to arrive."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Final, Generic, TypeVar

J = TypeVar("J")
R = TypeVar("R")
MAX_JOBS: Final = 64
"""Requests in a batch; above, the rest forms the next one: an answer waits for its whole batch."""


class Batcher(Generic[J, R]):
    """Runs all waiting jobs in the thread each time the previous ones have ended. Belongs to the event loop's thread.

    Args:
        thread: Where the jobs run.
        run: Runs jobs in the thread; returns the result or the error of each, in their order. It may leave out the last
            ones, which are run next.
    """

    def __init__(self, thread: Executor, run: Callable[[Sequence[J]], Sequence[R | Exception]]) -> None:
        self._thread: Final = thread
        self._run: Final = run
        self._waiting: list[tuple[J, asyncio.Future[R]]] = []
        self._is_running = False

    async def result(self, job: J) -> R:
        """Return the result of a job, or raise its error."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((job, future))
        if not self._is_running:
            self._is_running = True
            self._task = asyncio.ensure_future(self._run_all())
        return await future

    async def _run_all(self) -> None:
        """Run batches while jobs wait.

        If the thread takes no more work, which cancels what it has not begun, every job that waits is cancelled: no
        request is left without an answer.
        """
        loop = asyncio.get_running_loop()
        taken: list[tuple[J, asyncio.Future[R]]] = []
        try:
            while self._waiting:
                taken, self._waiting = self._waiting[:MAX_JOBS], self._waiting[MAX_JOBS:]
                try:
                    found = await loop.run_in_executor(self._thread, self._run, [job for job, _ in taken])
                except Exception as error:  # noqa: BLE001 - each job's client gets an answer
                    found = [error] * len(taken)
                self._waiting = taken[len(found) :] + self._waiting
                for (_, future), result in zip(taken, found, strict=False):
                    _settle(future, result)
        finally:
            self._is_running = False
            for _, future in taken + self._waiting:
                future.cancel()  # does nothing to one that has its result
            self._waiting = []


def _settle(future: "asyncio.Future[R]", result: R | Exception) -> None:
    if future.done():  # its client has gone
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
