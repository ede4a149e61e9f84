"""What the pool waits with: changes, tasks that must not be cut short, the first failure of many."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class Changes:
    """Wakes all who wait, whenever something changed that they may wait for."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def tell(self) -> None:
        event, self._event = self._event, asyncio.Event()
        event.set()

    async def wait(self) -> None:
        await self._event.wait()


class Background:
    """Tasks that run to their end also when whoever waits for one is cancelled: they hold files and leases."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self.trouble: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Fails with what the first failing task failed with."""

    def start(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def succeeded(self) -> None:
        """Wait for all of them; raises what the first one failed with."""
        while self._tasks and not self.trouble.done():
            await asyncio.wait({*self._tasks, self.trouble}, return_when=asyncio.FIRST_COMPLETED)
        if self.trouble.done():
            self.trouble.result()

    async def ended(self) -> None:
        """Wait for all of them, however they end."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        if not self.trouble.cancel():
            self.trouble.exception()  # it was raised by then; an exception that nobody asks for is printed

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not self.trouble.done():
            self.trouble.set_exception(error)


async def first_failure(workers: list[asyncio.Task[None]]) -> None:
    """Wait for all; on the first failure (or when cancelled) end the others and raise it."""
    try:
        done, _ = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    for worker in done:
        error = None if worker.cancelled() else worker.exception()
        if error is not None:
            raise error
