"""Notifications."""

from __future__ import annotations

from typing import NamedTuple, Tuple

Mailbox = Tuple[int, int]


class Note(NamedTuple):
    """A notification: its bytes and the mailbox of who sent it."""

    data: bytes
    sender: Mailbox
