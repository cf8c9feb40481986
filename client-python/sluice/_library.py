"""The C library, through ctypes. Every structure is that of sluice.h."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
from ctypes import POINTER, byref, c_char, c_char_p, c_int, c_size_t, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import Any, List, Tuple


class Key(ctypes.Structure):
    _fields_ = [("high", c_uint64), ("low", c_uint64)]


class Remote(ctypes.Structure):
    _fields_ = [("key", Key), ("bytes", c_uint64)]


class Options(ctypes.Structure):
    _fields_ = [
        ("socket", c_char_p),
        ("name", c_char_p),
        ("entries", c_uint32),
        ("list_bytes", c_uint32),
        ("text_bytes", c_uint32),
        ("mailbox", Key),
    ]


class Extra(ctypes.Structure):
    _fields_ = [
        ("note", c_char_p),
        ("note_bytes", c_uint32),
        ("flags", c_uint32),
        ("mailbox", Key),
        ("deadline_ns", c_uint64),
        ("tag", c_uint64),
    ]


class Piece(ctypes.Structure):
    _fields_ = [("memory", c_void_p), ("offset", c_uint64), ("bytes", c_uint64)]


class RemotePiece(ctypes.Structure):
    _fields_ = [("key", Key), ("offset", c_uint64), ("bytes", c_uint64)]


class Result(ctypes.Structure):
    _fields_ = [("status", c_int), ("bytes", c_uint64), ("why", c_char * 256)]


class Event(ctypes.Structure):
    _fields_ = [
        ("kind", c_int),
        ("request", c_uint64),
        ("tag", c_uint64),
        ("result", Result),
        ("link", c_void_p),
        ("sender", Key),
        ("note", c_void_p),
        ("note_bytes", c_size_t),
    ]


AS_EVENT = 1
EVENT_ENDED, EVENT_NOTE, EVENT_LINK_ENDED, EVENT_NOTES_LOST, EVENT_LOST = range(1, 6)
LOST, AGAIN, DEADLINE = -100, -101, -7


def _places() -> List[str]:
    told = os.environ.get("SLUICE_LIBRARY")
    if told:
        return [told]
    here = Path(__file__).resolve()
    beside = [str(p / "libsluice.so.0") for p in (here.parent, here.parents[2] / "lib")]
    found = ctypes.util.find_library("sluice")
    return [p for p in beside if os.path.exists(p)] + ([found] if found else []) + ["libsluice.so.0"]


def _load() -> ctypes.CDLL:
    tried = []
    for place in _places():
        try:
            return ctypes.CDLL(place)
        except OSError as e:
            tried.append(str(e))
    raise ImportError(
        "the C library of Sluice is not found (" + "; ".join(tried) + "): install it, or set SLUICE_LIBRARY to libsluice.so"
    )


lib = _load()
libc = ctypes.CDLL(None)
libc.free.argtypes = [c_void_p]

_HANDLE = c_void_p
_SIGNATURES: List[Tuple[str, Any, List[Any]]] = [
    ("sluice_error", c_char_p, []),
    ("sluice_status_text", c_char_p, [c_int]),
    ("sluice_open", c_int, [POINTER(Options), POINTER(_HANDLE)]),
    ("sluice_reopen", c_int, [_HANDLE, c_int]),
    ("sluice_close", None, [_HANDLE]),
    ("sluice_epoch", c_uint64, [_HANDLE]),
    ("sluice_gpus", c_uint32, [_HANDLE]),
    ("sluice_mailbox", Key, [_HANDLE]),
    ("sluice_stats", c_int, [_HANDLE, POINTER(c_void_p)]),
    ("sluice_allocate", c_int, [_HANDLE, c_uint32, c_uint64, POINTER(_HANDLE)]),
    ("sluice_register", c_int, [_HANDLE, c_uint32, c_int, c_uint64, c_uint64, POINTER(Key), POINTER(_HANDLE)]),
    ("sluice_register_device", c_int, [_HANDLE, c_void_p, c_uint64, POINTER(Key), POINTER(_HANDLE)]),
    ("sluice_gpu_of", c_uint32, [_HANDLE]),
    ("sluice_free", c_int, [_HANDLE]),
    ("sluice_data", c_void_p, [_HANDLE]),
    ("sluice_size", c_uint64, [_HANDLE]),
    ("sluice_remote_of", c_int, [_HANDLE, POINTER(Remote)]),
    ("sluice_share", c_int, [_HANDLE, c_char_p]),
    ("sluice_connect", c_int, [_HANDLE, c_uint32, c_uint32, c_char_p, c_int, POINTER(_HANDLE)]),
    ("sluice_disconnect", c_int, [_HANDLE]),
    ("sluice_import", c_int, [_HANDLE, c_char_p, c_int, POINTER(Remote)]),
    (
        "sluice_write",
        c_int,
        [_HANDLE, _HANDLE, c_uint64, c_uint64, POINTER(Remote), c_uint64, POINTER(Extra), POINTER(c_uint64)],
    ),
    (
        "sluice_read",
        c_int,
        [_HANDLE, _HANDLE, c_uint64, c_uint64, POINTER(Remote), c_uint64, POINTER(Extra), POINTER(c_uint64)],
    ),
    (
        "sluice_write_list",
        c_int,
        [_HANDLE, POINTER(Piece), c_uint32, POINTER(RemotePiece), c_uint32, POINTER(Extra), POINTER(c_uint64)],
    ),
    (
        "sluice_read_list",
        c_int,
        [_HANDLE, POINTER(Piece), c_uint32, POINTER(RemotePiece), c_uint32, POINTER(Extra), POINTER(c_uint64)],
    ),
    ("sluice_prepare", c_int, [_HANDLE, POINTER(Piece), c_uint32, POINTER(RemotePiece), c_uint32, POINTER(c_uint32)]),
    ("sluice_write_prepared", c_int, [_HANDLE, c_uint32, POINTER(Extra), POINTER(c_uint64)]),
    ("sluice_read_prepared", c_int, [_HANDLE, c_uint32, POINTER(Extra), POINTER(c_uint64)]),
    ("sluice_release", c_int, [_HANDLE, c_uint32]),
    ("sluice_notify", c_int, [_HANDLE, Key, c_char_p, c_uint32, POINTER(c_uint64)]),
    ("sluice_cancel", c_int, [_HANDLE, c_uint64]),
    ("sluice_test", c_int, [_HANDLE, c_uint64, POINTER(Result)]),
    ("sluice_wait", c_int, [_HANDLE, c_uint64, c_int, POINTER(Result)]),
    ("sluice_next", c_int, [_HANDLE, POINTER(Event)]),
    ("sluice_await", c_int, [_HANDLE, POINTER(Event), c_int]),
    ("sluice_fd", c_int, [_HANDLE]),
    ("sluice_arm", c_int, [_HANDLE]),
]
for _name, _result, _arguments in _SIGNATURES:
    _function = getattr(lib, _name)
    _function.restype = _result
    _function.argtypes = _arguments

__all__ = ["lib", "libc", "byref", "Key", "Remote", "Options", "Extra", "Piece", "RemotePiece", "Result", "Event"]
