"""What goes wrong."""

from __future__ import annotations

from ._library import LOST, lib


class SluiceError(Exception):
    """Why something failed, in words; ``status`` is its number in sluice.h."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class DaemonLost(SluiceError):
    """The daemon is gone; ``Client.reopen`` finds the next one."""


def error(status: int, why: str = "") -> SluiceError:
    text = why or lib.sluice_error().decode("utf-8", "replace") or lib.sluice_status_text(status).decode()
    return DaemonLost(status, text) if status == LOST else SluiceError(status, text)


def check(status: int) -> int:
    if status < 0:
        raise error(status)
    return status
