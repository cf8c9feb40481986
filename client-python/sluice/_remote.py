"""Memory of others, as its owner gave it out."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from . import _library as c


@dataclass(frozen=True, repr=False)
class Remote:
    """128 bits that reach memory of another, and its length. A secret: give it only to whom you trust with the memory."""

    high: int
    low: int
    nbytes: int

    def to_bytes(self) -> bytes:
        """24 bytes, to be sent to whoever may write or read there."""
        return struct.pack("<QQQ", self.high, self.low, self.nbytes)

    @staticmethod
    def from_bytes(data: bytes) -> "Remote":
        return Remote(*struct.unpack("<QQQ", data))

    def __repr__(self) -> str:
        return f"Remote({self.nbytes} bytes)"

    def _c(self) -> c.Remote:
        return c.Remote(c.Key(self.high, self.low), self.nbytes)
