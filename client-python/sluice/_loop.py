"""Waiting in asyncio until a descriptor can be read."""

from __future__ import annotations

import asyncio
from typing import Dict, List, Tuple

_WAITERS: "Dict[Tuple[int, int], List[asyncio.Future[None]]]" = {}


async def readable(fd: int) -> None:
    """Any number of tasks may wait for the same."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    waiters = _WAITERS.setdefault((id(loop), fd), [])
    waiters.append(ready)
    if len(waiters) == 1:
        loop.add_reader(fd, _wake, loop, fd)
    await ready


def _wake(loop: asyncio.AbstractEventLoop, fd: int) -> None:
    loop.remove_reader(fd)
    for waiter in _WAITERS.pop((id(loop), fd), []):
        if not waiter.done():
            waiter.set_result(None)
