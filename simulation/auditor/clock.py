"""Model one SLA clock: running time, deadline, pauses, the one end.

Independent of the router: written from the rules of the promises. Times are integer milliseconds;
running time counts only while the clock runs, so every instant below follows from
`start + target + pauses`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from router.center import Center, ClockKind, OpeningTable, Promise, Signal
from router.decisions import (
    BreachSla,
    Decision,
    MeetSla,
    PauseSla,
    Reason,
    RebaseSla,
    ResumeSla,
    StartSla,
    StopSla,
    WarnSla,
)
from simulation.auditor.opening import instant_after, open_between, table_of, target_from

SlaDecision = StartSla | PauseSla | ResumeSla | WarnSla | BreachSla | MeetSla | StopSla | RebaseSla
SLA_DECISIONS: Final = (
    StartSla,
    PauseSla,
    ResumeSla,
    WarnSla,
    BreachSla,
    MeetSla,
    StopSla,
    RebaseSla,
)

_NONE: Final[tuple[Signal, ...]] = ()

# (start, stop, pause, resume, reset) of each kind. `CLOSED` counts as a stop only when the
# contact was handled: a caller who gave up was not served in time, his clocks are canceled.
USUAL_SIGNALS: Final[dict[ClockKind, tuple[tuple[Signal, ...], ...]]] = {
    ClockKind.ANSWER: ((Signal.ARRIVED,), (Signal.CONNECTED,), _NONE, _NONE, _NONE),
    ClockKind.FIRST_RESPONSE: (
        (Signal.ARRIVED,),
        (Signal.AGENT_REPLIED, Signal.CLOSED),
        _NONE,
        _NONE,
        _NONE,
    ),
    ClockKind.NEXT_RESPONSE: (
        (Signal.CUSTOMER_REPLIED,),
        (Signal.AGENT_REPLIED, Signal.CLOSED),
        _NONE,
        _NONE,
        _NONE,
    ),
    ClockKind.RESOLUTION: (
        (Signal.ARRIVED,),
        (Signal.RESOLVED, Signal.CLOSED),
        (Signal.CUSTOMER_AWAITED,),
        (Signal.CUSTOMER_REPLIED, Signal.CUSTOMER_WAIT_ENDED),
        _NONE,
    ),
    ClockKind.PERIODIC_UPDATE: (
        (Signal.ARRIVED,),
        (Signal.RESOLVED, Signal.CLOSED),
        _NONE,
        _NONE,
        (Signal.AGENT_REPLIED,),
    ),
    ClockKind.FOLLOW_UP: (
        (Signal.ARRIVED,),
        (Signal.CONNECTED, Signal.AGENT_REPLIED),
        _NONE,
        _NONE,
        _NONE,
    ),
    ClockKind.COMPLAINT_ACKNOWLEDGEMENT: (
        (Signal.COMPLAINT_RAISED,),
        (Signal.AGENT_REPLIED,),
        _NONE,
        _NONE,
        _NONE,
    ),
    ClockKind.COMPLAINT_UPDATE: (
        (Signal.COMPLAINT_RAISED,),
        (Signal.RESOLVED, Signal.CLOSED),
        _NONE,
        _NONE,
        (Signal.AGENT_REPLIED,),
    ),
    ClockKind.COMPLAINT_ANSWER: (
        (Signal.COMPLAINT_RAISED,),
        (Signal.RESOLVED, Signal.CLOSED),
        (Signal.CUSTOMER_AWAITED,),
        (Signal.CUSTOMER_REPLIED, Signal.CUSTOMER_WAIT_ENDED),
        _NONE,
    ),
}

# Where a human voice answers, being connected is the first response.
VOICE_CHANNELS: Final = ("phone", "callback")


def signals_of(promise: Promise, channel: str) -> tuple[tuple[Signal, ...], ...]:
    """Return (start, stop, pause, resume, reset): the promise's own sets, else the usual ones."""
    start, stop, pause, resume, reset = USUAL_SIGNALS[promise.kind]
    if promise.kind is ClockKind.FIRST_RESPONSE and channel in VOICE_CHANNELS:
        stop = (*stop, Signal.CONNECTED)
    return (
        promise.start or start,
        promise.stop or stop,
        promise.pause or pause,
        promise.resume or resume,
        promise.reset or reset,
    )


def holds_for(promise: Promise, category: str, channel: str, tier: str, priority: int) -> bool:
    """Say whether the promise is made to such contacts; an empty list means all."""
    return (
        category in (promise.categories or (category,))
        and channel in (promise.channels or (channel,))
        and tier in (promise.tiers or (tier,))
        and priority in (promise.priorities or (priority,))
    )


@dataclass(slots=True, eq=False)
class Clock:
    """Hold one clock of one contact.

    `since_ms` -1 means that it does not run. `moved_ms` is when its target was last changed: what
    that put into the past falls due then. `watched` names the run whose instants are on the agenda.
    """

    policy: str
    promise: Promise
    channel: str
    cycle: int
    start_ms: int
    target_ms: int
    ran_ms: int = 0
    since_ms: int = -1
    paused: bool = False
    breached: bool = False
    ended: bool = False
    warned: frozenset[int] = field(default_factory=frozenset)
    due_ms: int = 0
    moved_ms: int = 0
    watched: tuple[int, int, int] = (-1, 0, 0)
    chain_due_ms: int = 0
    table: OpeningTable | None = None

    def elapsed_ms(self, now_ms: int) -> int:
        """Return the running time up to now."""
        if self.since_ms < 0:
            return self.ran_ms
        return self.ran_ms + open_between(self.table, self.since_ms, now_ms)

    def instant_ms(self, running_ms: int) -> int:
        """Return when the clock, going on as it does, will have run so long."""
        assert self.since_ms >= 0, "only a running clock gets anywhere"
        return instant_after(self.table, self.since_ms, running_ms - self.ran_ms)

    def warning_ms(self, percent: int) -> int:
        """Return the instant of a warning."""
        return self.instant_ms(self.target_ms * percent // 100)

    def twin(self) -> Clock:
        """Return a copy to try a signal on."""
        return replace(self)


def start_clock(
    policy: str, promise: Promise, channel: str, cycle: int, now_ms: int, center: Center | None
) -> Clock:
    """Return a clock that starts to run now."""
    table = table_of(center, promise)
    target_ms = target_from(table, promise, now_ms)
    return Clock(
        policy=policy,
        promise=promise,
        channel=channel,
        cycle=cycle,
        start_ms=now_ms,
        target_ms=target_ms,
        since_ms=now_ms,
        due_ms=instant_after(table, now_ms, target_ms),
        table=table,
    )


def stop_clock(clock: Clock, now_ms: int, *, served: bool) -> str:
    """End a clock: met or late when `served`, canceled otherwise; return what must be said."""
    elapsed_ms = clock.elapsed_ms(now_ms)
    clock.ran_ms, clock.since_ms, clock.paused, clock.ended = elapsed_ms, -1, False, True
    late_ms = 0
    if clock.breached:
        # Lateness is said in plain time: nobody is late by nothing because it is night.
        late_ms = elapsed_ms - clock.target_ms if clock.table is None else now_ms - clock.due_ms
    if not served:
        return f"cancel {late_ms}"
    return f"stop late {late_ms}" if clock.breached else f"meet {elapsed_ms}"


def due_now_ms(clock: Clock, now_ms: int) -> int:
    """Return the deadline; for a paused clock the one it would have if it ran on now."""
    if clock.paused:
        left_ms = clock.target_ms - clock.ran_ms
        return instant_after(clock.table, now_ms, left_ms) if left_ms > 0 else now_ms + left_ms
    return clock.due_ms


def rebase_clock(
    clock: Clock, policy: str, promise: Promise, now_ms: int, center: Center | None
) -> str:
    """Put a clock under another promise: counted from its start, with all its pauses."""
    old_ms = due_now_ms(clock, now_ms)
    clock.table = table_of(center, promise)
    target_ms = target_from(clock.table, promise, clock.start_ms)
    if chain_of(clock.policy, clock.promise) != chain_of(policy, promise):
        clock.chain_due_ms = 0
    clock.policy, clock.promise, clock.target_ms = policy, promise, target_ms
    if not clock.paused:
        clock.due_ms = clock.instant_ms(clock.target_ms)
    clock.moved_ms = now_ms
    return f"rebase from {old_ms} to {due_now_ms(clock, now_ms)}"


def chain_of(policy: str, promise: Promise) -> tuple[str, tuple[str, ...], int]:
    """Return who is called, and how fast."""
    return policy, promise.escalation, promise.escalate_every_ms


def pause_clock(clock: Clock, now_ms: int) -> str:
    """Let a running clock stand still."""
    clock.ran_ms, clock.since_ms, clock.paused = clock.elapsed_ms(now_ms), -1, True
    clock.chain_due_ms = 0
    return "pause"


def resume_clock(clock: Clock, now_ms: int) -> str:
    """Let a paused clock run on; its deadline moves by the length of the pause."""
    clock.since_ms, clock.paused = now_ms, False
    clock.due_ms = clock.instant_ms(clock.target_ms)
    return f"resume until {clock.due_ms}"


def say(decision: Decision) -> str:
    """Put an SLA decision into the words of this module."""
    match decision:
        case StartSla():
            return f"start until {decision.deadline_ms}"
        case PauseSla():
            return "pause"
        case ResumeSla():
            return f"resume until {decision.deadline_ms}"
        case MeetSla():
            return f"meet {decision.elapsed_ms}"
        case StopSla():
            canceled = decision.reason is Reason.CLOCK_CANCELED
            return f"cancel {decision.late_ms}" if canceled else f"stop late {decision.late_ms}"
        case RebaseSla():
            return f"rebase from {decision.old_deadline_ms} to {decision.deadline_ms}"
        case WarnSla():
            return f"warn {decision.percent}"
        case BreachSla():
            return f"breach {decision.deadline_ms}"
        case _:
            return ""


def moves(seen: list[SlaDecision], policy: str, cycle: int) -> bool:
    """Say whether the journal re-targets or cancels a clock."""
    return any(
        (said.policy, said.cycle) == (policy, cycle)
        and (
            isinstance(said, RebaseSla)
            or (isinstance(said, StopSla) and said.reason is Reason.CLOCK_CANCELED)
        )
        for said in seen
    )


def rule_of(due: list[str], saw: list[str]) -> str:
    """Name the invariant that a disagreement breaks."""
    first = [word.split()[0] for word in (*due[:1], *saw[:1])]
    if due and saw and first[0] == first[1]:
        return "I21" if first[0] in ("meet", "stop", "cancel") else "I22"
    ends = {"meet", "stop", "cancel"}
    if due and saw and ends >= set(first):
        return "I19"
    return "I15"
