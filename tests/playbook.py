"""Write tests of the router as screenplays: `>>` what happens, `<<` what the router orders.

    (
        Playbook(desk())
        >> sign_in("a")
        >> arrive("1")
        << (EnqueueContact("1", "q", Reason.ARRIVED, 5), OfferContact(1, "1", "a", ..., ms(20_000)))
        >> DEADLINE
        << (WithdrawOffer(1, "1", "a", Reason.EXPIRED), ...)
    )

`<<` compares with everything that the last `>>` led to, in order; what is not compared is stage
setting. Time stands still unless the play says `at(offset, event)` or `DEADLINE`, which jumps to
the router's next deadline and tells it so. Deadlines before an `at` are let in on the way and what
they led to counts as part of it.

Behind the scenes an understudy, restored from a snapshot after every step, plays the same part: it
must decide the same and write the same snapshot.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from typing import Any, Final, TypeAlias, TypeVar

import msgspec

from router.center import Center
from router.decisions import Decision
from router.events import CenterChanged, Event, Stamped, TimeAdvanced
from router.router import Router
from router.sequencer import Sequencer

# Where offsets count from; any instant but zero will do.
START_MS: Final = 1_000_000


class _Deadline:
    """Stand for the router's next deadline."""


DEADLINE: Final = _Deadline()


class At(msgspec.Struct, frozen=True):
    """An event, or nothing but time, at an offset (ms) from the start of the play."""

    offset_ms: int
    event: Event | None
    event_id: str = ""
    occurred_ms: int = 0


Step: TypeAlias = Event | At | _Deadline
D = TypeVar("D")


def ms(offset_ms: int) -> int:
    """Return the instant at an offset from the start of the play."""
    return START_MS + offset_ms


def at(
    offset_ms: int, event: Event | None = None, *, event_id: str = "", occurred_ms: int = 0
) -> At:
    """Say when an event happens; without an event all deadlines up to then, inclusive, fire."""
    return At(offset_ms, event, event_id, occurred_ms)


class Playbook:
    """Play events to a router; `decisions` are those of the last step, `history` all."""

    def __init__(self, center: Center | None = None) -> None:
        self.router = Router()
        self.understudy = Router()
        self.now_ms = START_MS
        self.decisions: list[Decision] = []
        self.history: list[Decision] = []
        if center is not None:
            self.play(CenterChanged(center))

    def __rshift__(self, step: Step) -> Playbook:
        """Let something happen."""
        self.play(step)
        return self

    def __lshift__(self, expected: Decision | Iterable[Decision]) -> Playbook:
        """Compare with all that the last step led to."""
        wanted = list(expected) if isinstance(expected, Iterable) else [expected]
        assert self.decisions == wanted, _difference(wanted, self.decisions)
        return self

    def play(self, step: Step) -> list[Decision]:
        """Let something happen and return what it led to."""
        self.decisions = []
        if isinstance(step, _Deadline):
            due_ms = self.router.next_deadline()
            assert due_ms is not None, "no deadline ahead"
            self._stamp(max(due_ms, self.now_ms), TimeAdvanced())
        elif isinstance(step, At) and step.event is None:
            self._fire_before(START_MS + step.offset_ms + 1)
            self.now_ms = max(self.now_ms, START_MS + step.offset_ms)
        elif isinstance(step, At):
            assert step.event is not None, "the branch before took the rest"
            at_ms = START_MS + step.offset_ms
            self._fire_before(at_ms)
            self._stamp(at_ms, step.event, step.event_id, step.occurred_ms)
        else:
            self._fire_before(self.now_ms)
            self._stamp(self.now_ms, step)
        self.history.extend(self.decisions)
        return self.decisions

    def of(self, kind: type[D]) -> list[D]:
        """Return the decisions of one kind in all the play so far."""
        return [decision for decision in self.history if isinstance(decision, kind)]

    def facts(self) -> dict[str, Any]:
        """Return what the router knows, but for the number and the time of the last event."""
        return facts_of(self.router)

    def _fire_before(self, at_ms: int) -> None:
        while True:
            due_ms = self.router.next_deadline()
            if due_ms is None or due_ms >= at_ms:
                return
            self._stamp(max(due_ms, self.now_ms), TimeAdvanced())

    def _stamp(self, at_ms: int, event: Event, event_id: str = "", occurred_ms: int = 0) -> None:
        stamped = Stamped(self.router.seq + 1, at_ms, event, event_id, occurred_ms)
        self.now_ms = at_ms
        before = self.router.next_deadline()
        decisions = self.router.handle(stamped)
        assert self.understudy.next_deadline() == before, "a restored router has other deadlines"
        again = self.understudy.handle(stamped)
        assert again == decisions, "a restored router decides otherwise\n" + _difference(
            list(decisions), list(again)
        )
        body = self.router.snapshot()
        assert self.understudy.snapshot() == body, "a restored router writes another snapshot"
        self.understudy = Router.restore(body)
        assert self.understudy.snapshot() == body, "a snapshot does not survive its restoring"
        self.decisions.extend(decisions)


def facts_of(router: Router) -> dict[str, Any]:
    """Return what a router knows, but for the number and the time of the last event."""
    facts: dict[str, Any] = json.loads(router.snapshot().partition(b"\n")[2])
    del facts["seq"], facts["now_ms"]
    return facts


def run(router: Router, at_ms: int, event: Event) -> list[Decision]:
    """Let one event reach a bare router, deadlines first; return all that it led to."""
    entries = Sequencer(router).accept(event, at_ms)
    return [decision for entry in entries for decision in entry.decisions]


def _difference(wanted: list[Decision], seen: list[Decision]) -> str:
    """Word what differs, one decision a line: `-` was wanted, `+` was seen."""
    lines = difflib.ndiff([_line(d) for d in wanted], [_line(d) for d in seen])
    return "decisions differ (- wanted, + seen)\n" + "\n".join(line.rstrip() for line in lines)


def _line(decision: Decision) -> str:
    fields = msgspec.structs.asdict(decision)
    for name, value in fields.items():
        if name.endswith("_at_ms") or name in {"deadline_ms", "old_deadline_ms", "until_ms"}:
            fields[name] = f"ms({value - START_MS})" if value else 0
    words = ", ".join(f"{name}={getattr(v, 'value', v)}" for name, v in fields.items())
    return f"{type(decision).__name__}({words})"
