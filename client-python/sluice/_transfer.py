"""Requests under way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generator, Optional, Tuple

from ._errors import check, error
from ._library import lib

if TYPE_CHECKING:
    from ._client import Client


class Transfer:
    """A request under way. ``wait()`` in blocking code, ``await`` it in asyncio. Forgotten, it ends all the same."""

    def __init__(self, client: Client, tag: int) -> None:
        self._client = client
        self._tag = tag
        self._request = 0
        self._result: Optional[Tuple[int, int, str]] = None

    def done(self) -> bool:
        """Whether it has ended, well or badly. Never waits."""
        self._client._take(0)
        return self._result is not None

    def wait(self, timeout: Optional[float] = None) -> int:
        """Waits for the end. Gives the bytes moved, or raises why it failed; TimeoutError when it is still under way."""
        self._client._take_until(lambda: self._result is not None, timeout)
        return self._outcome()

    def cancel(self) -> None:
        """Asks for its end; it ends all the same, and says how."""
        check(lib.sluice_cancel(self._client._live(), self._request))

    def _outcome(self) -> int:
        if self._result is None:
            raise TimeoutError("the transfer is still under way")
        status, moved, why = self._result
        if status != 0:
            raise error(status, why)
        return moved

    def __await__(self) -> Generator[Any, None, int]:
        yield from self._client._until(lambda: self._result is not None).__await__()
        return self._outcome()
