"""Measure the way of a record: bytes in, core, bytes out; with msgspec and with stdlib json.

No broker and no disk: what is compared is the border around one and the same core.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable
from typing import Any

import msgspec

from benchmarks.phone_day import draw
from router.decisions import Decision
from router.events import Stamped
from router.router import Router


def measure(agents: int, measured: int, *, stdlib: bool) -> dict[str, Any]:
    """Return CPU microseconds per event of decode, handle, encode over a phone day.

    The stdlib way decodes with `json.loads`, builds the checked event with `msgspec.convert`, and
    encodes decisions with `msgspec.to_builtins` and `json.dumps`: the same checks, the same bytes'
    content.
    """
    log, begin = draw(agents, measured)
    bodies = [msgspec.json.encode(stamped) for stamped in log[begin:]]
    router = Router()
    for stamped in log[:begin]:
        router.handle(stamped)
    del log
    decode, encode = _stdlib() if stdlib else _msgspec()
    gc.collect()
    gc.freeze()
    written = 0
    started = time.process_time()
    for body in bodies:
        for decision in router.handle(decode(body)):
            written += len(encode(decision))
    cpu_s = time.process_time() - started
    return {
        "events": len(bodies),
        "bytes_in": sum(map(len, bodies)),
        "bytes_out": written,
        "cpu_us_per_event": cpu_s / len(bodies) * 1e6,
    }


def _msgspec() -> tuple[Callable[[bytes], Stamped], Callable[[Decision], bytes]]:
    return msgspec.json.Decoder(Stamped).decode, msgspec.json.Encoder().encode


def _stdlib() -> tuple[Callable[[bytes], Stamped], Callable[[Decision], bytes]]:
    def decode(body: bytes) -> Stamped:
        return msgspec.convert(json.loads(body), Stamped)

    def encode(decision: Decision) -> bytes:
        return json.dumps(msgspec.to_builtins(decision), separators=(",", ":")).encode()

    return decode, encode
