"""Take posted events apart, and say what became of them."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from router.events import RecordRefused
from streams.codec import BatchError, split_batch
from streams.desk import Posted, Problem, Receipt
from streams.service import is_duplicate, refusal_of

BATCH_RECORDS_MAX: Final = 10_000
RETURN_ALL: Final = "return=representation"
RESPOND_ASYNC: Final = "respond-async"

_NDJSON: Final = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})


def split_posts(request: web.Request, body: bytes) -> list[Posted]:
    """Take a body apart by its content type; raises `Problem` if that cannot be done."""
    kind = request.content_type
    if any(name.lower().startswith("ce-") for name in request.headers):
        return [Posted(body, dict(request.headers))]
    if kind in _NDJSON:
        bodies = [line for line in body.splitlines() if line.strip()]
    elif kind == "application/cloudevents-batch+json" or (
        kind == "application/json" and body.lstrip()[:1] == b"["
    ):
        try:
            bodies = split_batch(body)
        except BatchError as error:
            raise Problem(400, "Unreadable batch", error.detail) from None
    elif kind in {"application/cloudevents+json", "application/json"}:
        bodies = [body]
    else:
        raise Problem(
            415,
            "Unsupported content type",
            "send application/cloudevents+json, application/cloudevents-batch+json or "
            "application/x-ndjson, or binary mode with ce- headers",
        )
    if len(bodies) > BATCH_RECORDS_MAX:
        raise Problem(413, "Batch too large", f"at most {BATCH_RECORDS_MAX} records a request")
    return [Posted(one) for one in bodies]


def preferences_of(request: web.Request) -> set[str]:
    """Return what the client prefers (RFC 7240)."""
    preferences = ",".join(request.headers.getall("Prefer", [])).split(",")
    return {preference.partition(";")[0].strip() for preference in preferences}


def summarize(receipt: Receipt) -> dict[str, Any]:
    """Say what became of each record: the codec's and the core's refusals in one list."""
    refused = []
    duplicates = accepted = 0
    for index, entry in enumerate(receipt.entries):
        refusal = None if entry is None else refusal_of(entry)
        if entry is not None and refusal is not None:
            event = entry.stamped.event
            told = {"detail": event.detail} if isinstance(event, RecordRefused) else {}
            place = {"index": index, "seq": entry.stamped.seq}
            refused.append({**place, "reason": refusal.reason.value, **told})
        elif entry is not None and is_duplicate(entry):
            duplicates += 1
        else:
            accepted += 1
    return {
        "accepted": accepted,
        "duplicates": duplicates,
        "refused": refused,
        "seq": receipt.seq,
        "at_ms": receipt.at_ms,
        "last_id": receipt.last_id,
    }
