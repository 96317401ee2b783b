"""Remember, for a while, how customers left, so that those who come again are known.

One trace for each customer and category: of a contact that was abandoned, deflected or refused, or
of a callback that he waits for. The latest counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from router import whys
from router.decisions import Reason
from router.records import Trace

if TYPE_CHECKING:
    from router.floor import Floor

# What a trace says if its customer comes again.
ABANDONED: Final = whys.REDIALLED
DEFLECTED: Final = whys.DEFLECTION_FAILED
BLOCKED: Final = whys.BLOCKED_BEFORE
CALLBACK: Final = whys.CALLED_MEANWHILE


def window_ms(floor: Floor, reason: Reason) -> int:
    """Return for how long a trace counts; 0: such traces are not kept."""
    assert floor.center is not None, "a centre comes before contacts"
    rules = floor.center.returns
    if reason is DEFLECTED:
        return rules.deflection_window_ms
    if reason is CALLBACK:
        return floor.life_ms if floor.center.callbacks.taken_over else 0
    return rules.redial_window_ms


def remember(
    floor: Floor, customer: str, category: str, contact_id: str, reason: Reason, attempts: int
) -> None:
    """Keep a trace, for as many customers as the limits allow; a refusal adds to those before."""
    assert floor.center is not None, "a centre comes before contacts"
    if not customer or not window_ms(floor, reason):
        return
    key = (customer, category)
    before = trace_of(floor, customer, category)
    if reason is BLOCKED and before is not None:
        # He is still the one who abandoned, or is to be called: only his tries are counted.
        before.attempts += 1
        return
    floor.traces.pop(key, None)
    floor.traces[key] = Trace(contact_id, reason, floor.now_ms, attempts)
    if len(floor.traces) > floor.center.limits.event_ids:
        del floor.traces[next(iter(floor.traces))]


def trace_of(floor: Floor, customer: str, category: str) -> Trace | None:
    """Return the trace of a customer in a category while it counts."""
    trace = floor.traces.get((customer, category)) if customer else None
    if trace is None or floor.now_ms - trace.at_ms > window_ms(floor, trace.reason):
        return None
    return trace
