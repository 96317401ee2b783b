"""Run the clocks of the promises: exact, one timer each, decided once.

Truth comes from the times of events; the alarm is separate from the truth. A clock that is stopped
exactly at its deadline has met it. A breach is decided once, at the deadline's own instant, also
when nobody ever answers, and carries how late it became when the clock stops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from router import whys
from router.center import Signal
from router.decisions import (
    BreachSla,
    EscalateContact,
    MeetSla,
    PauseSla,
    Reason,
    ResumeSla,
    StartSla,
    StopSla,
    WarnSla,
)
from router.records import BREACHED, OVER, PAUSED, RUNNING, Clock, Contact
from router.sla import (
    PAUSE,
    RESET,
    RESUME,
    SIGNAL_INDEX,
    START,
    STOP,
    TARGET_PERCENT,
    PromisePlan,
)

if TYPE_CHECKING:
    from router.floor import Floor

ARRIVED: Final = SIGNAL_INDEX[Signal.ARRIVED]
ASSIGNED: Final = SIGNAL_INDEX[Signal.ASSIGNED]
CONNECTED: Final = SIGNAL_INDEX[Signal.CONNECTED]
AGENT_REPLIED: Final = SIGNAL_INDEX[Signal.AGENT_REPLIED]
CUSTOMER_REPLIED: Final = SIGNAL_INDEX[Signal.CUSTOMER_REPLIED]
CUSTOMER_AWAITED: Final = SIGNAL_INDEX[Signal.CUSTOMER_AWAITED]
CUSTOMER_WAIT_ENDED: Final = SIGNAL_INDEX[Signal.CUSTOMER_WAIT_ENDED]
HELD: Final = SIGNAL_INDEX[Signal.HELD]
RESUMED: Final = SIGNAL_INDEX[Signal.RESUMED]
TRANSFERRED: Final = SIGNAL_INDEX[Signal.TRANSFERRED]
RESOLVED: Final = SIGNAL_INDEX[Signal.RESOLVED]
REOPENED: Final = SIGNAL_INDEX[Signal.REOPENED]
COMPLAINT_RAISED: Final = SIGNAL_INDEX[Signal.COMPLAINT_RAISED]
CALLBACK_SCHEDULED: Final = SIGNAL_INDEX[Signal.CALLBACK_SCHEDULED]
CALLBACK_DUE: Final = SIGNAL_INDEX[Signal.CALLBACK_DUE]
CLOSED: Final = SIGNAL_INDEX[Signal.CLOSED]
SELF_SERVED: Final = SIGNAL_INDEX[Signal.SELF_SERVED]


def send_signal(floor: Floor, contact: Contact, signal: int) -> None:
    """Let every clock of the contact hear what happened.

    A clock obeys the promise under which it was started; what starts anew obeys today's.
    """
    clock = contact.clocks
    while clock is not None:
        action = clock.plan.actions[signal]
        if action and clock.phase != OVER:
            if action == STOP:
                _stop(floor, clock)
            elif action == PAUSE:
                _pause(floor, clock)
            elif action == RESUME:
                _resume(floor, clock)
            elif action == RESET:
                _stop(floor, clock)
                start_clock(floor, contact, _plan_of(clock), clock, whys.CLOCK_RESET)
        clock = clock.next
    for plan, action in contact.profile.reactions[signal]:
        if action == START:
            clock = clock_of(contact, plan)
            if clock is None or clock.phase == OVER:
                start_clock(floor, contact, plan, clock, whys.CLOCK_STARTED)
    if floor.by_deadline:
        floor.note_due(contact)


def _plan_of(clock: Clock) -> PromisePlan:
    """Return the promise of the clock's kind that holds for its contact today."""
    kind = clock.plan.promise.kind
    for plan in clock.contact.profile.promises:
        if plan.promise.kind is kind:
            return plan
    return clock.plan


def clock_of(contact: Contact, plan: PromisePlan) -> Clock | None:
    """Return the contact's clock of the same kind of promise (the promise may have changed)."""
    kind = plan.promise.kind
    clock = contact.clocks
    while clock is not None:
        if clock.plan.promise.kind is kind:
            return clock
        clock = clock.next
    return None


def start_clock(
    floor: Floor, contact: Contact, plan: PromisePlan, old: Clock | None, reason: Reason
) -> Clock:
    """Start the clock of a promise; an ended one gives way to the next cycle."""
    plan = plan.for_start(floor.now_ms)
    if old is None:
        clock = Clock(contact, plan, 1, floor.now_ms)
        clock.next = contact.clocks
        contact.clocks = clock
    else:
        clock = old
        clock.plan = plan
        clock.cycle += 1
        clock.phase = RUNNING
        clock.started_ms = floor.now_ms
        clock.since_ms = floor.now_ms
        clock.consumed_ms = 0
        clock.noticed = 0
        clock.escalate_ms = 0
    floor.out.append(
        StartSla(contact.contact_id, plan.name, clock.cycle, clock.deadline_ms, reason)
    )
    # Nobody of its chain was called yet: its first threshold comes first.
    floor.timers.arm(clock, floor.now_ms, max(_threshold_due_ms(clock) - floor.now_ms, 0))
    return clock


def arm_clock(floor: Floor, clock: Clock) -> None:
    """Arm a clock for its next threshold, or for the next one of its chain if that comes first."""
    due_ms = clock.escalate_ms
    if clock.phase == RUNNING:
        threshold_ms = _threshold_due_ms(clock)
        if not due_ms or threshold_ms < due_ms:
            due_ms = threshold_ms
    elif not due_ms:
        return
    floor.timers.arm(clock, floor.now_ms, max(due_ms - floor.now_ms, 0))


def _threshold_due_ms(clock: Clock) -> int:
    """Return when a running clock reaches its next warning, or its deadline."""
    threshold_ms = clock.plan.thresholds[clock.noticed][1]
    return clock.plan.due_ms(clock.since_ms, threshold_ms - clock.consumed_ms)


def _elapsed_ms(floor: Floor, clock: Clock) -> int:
    """Return how long the clock has run, without its pauses."""
    if clock.phase == PAUSED:
        return clock.consumed_ms
    return clock.consumed_ms + clock.plan.ran_ms(clock.since_ms, floor.now_ms)


def _late_ms(floor: Floor, clock: Clock) -> int:
    """Return by how much plain time a broken promise is late by now."""
    return floor.now_ms - clock.deadline_ms


def _stop(floor: Floor, clock: Clock) -> None:
    """Stop a clock because what was promised has happened."""
    floor.timers.cancel(clock)
    contact_id, name, cycle = clock.contact.contact_id, clock.plan.name, clock.cycle
    elapsed_ms = _elapsed_ms(floor, clock)
    if clock.phase == RUNNING and floor.now_ms > clock.deadline_ms:
        # Only a clock that was just rebased into the past is late before its timer fired.
        breach_clock(floor, clock)
    if clock.phase == BREACHED:
        late_ms = _late_ms(floor, clock)
        floor.out.append(StopSla(contact_id, name, cycle, whys.STOPPED_LATE, late_ms))
    else:
        floor.out.append(MeetSla(contact_id, name, cycle, elapsed_ms, whys.STOPPED_IN_TIME))
    clock.consumed_ms = elapsed_ms
    clock.phase = OVER


def cancel_clock(floor: Floor, clock: Clock) -> None:
    """End a clock whose promise can no longer be kept or broken."""
    floor.timers.cancel(clock)
    elapsed_ms = _elapsed_ms(floor, clock)
    late_ms = _late_ms(floor, clock) if clock.phase == BREACHED else 0
    floor.out.append(
        StopSla(
            clock.contact.contact_id, clock.plan.name, clock.cycle, whys.CLOCK_CANCELED, late_ms
        )
    )
    clock.consumed_ms = elapsed_ms
    clock.phase = OVER


def _pause(floor: Floor, clock: Clock) -> None:
    """Pause a running clock; a breached one runs on, to say how late it became."""
    if clock.phase != RUNNING:
        return
    floor.timers.cancel(clock)
    clock.consumed_ms = _elapsed_ms(floor, clock)
    clock.phase = PAUSED
    clock.escalate_ms = 0
    floor.out.append(
        PauseSla(clock.contact.contact_id, clock.plan.name, clock.cycle, whys.CLOCK_PAUSED)
    )


def _resume(floor: Floor, clock: Clock) -> None:
    """Let a paused clock run on: its deadline moves by the length of the pause."""
    if clock.phase != PAUSED:
        return
    clock.phase = RUNNING
    clock.since_ms = floor.now_ms
    floor.out.append(
        ResumeSla(
            clock.contact.contact_id,
            clock.plan.name,
            clock.cycle,
            clock.deadline_ms,
            whys.CLOCK_RESUMED,
        )
    )
    await_answer(floor, clock)
    arm_clock(floor, clock)


def end_clocks(floor: Floor, contact: Contact, *, handled: bool) -> None:
    """End every clock of a contact that closes: stop what closing answers, cancel the rest."""
    if handled:
        send_signal(floor, contact, CLOSED)
    clock = contact.clocks
    while clock is not None:
        if clock.phase != OVER:
            cancel_clock(floor, clock)
        clock = clock.next


def deadline_of(floor: Floor, clock: Clock) -> int:
    """Return the deadline; for a paused clock the one it would have if it resumed now."""
    if clock.phase == PAUSED:
        left_ms = clock.plan.target_ms - clock.consumed_ms
        return clock.plan.due_ms(floor.now_ms, left_ms) if left_ms > 0 else floor.now_ms + left_ms
    return clock.deadline_ms


def fire_clock(floor: Floor, clock: Clock) -> None:
    """Warn or breach, as the threshold says, or call the next one of the chain."""
    if clock.phase != RUNNING or (
        clock.escalate_ms and clock.escalate_ms < max(_threshold_due_ms(clock), floor.now_ms)
    ):
        escalate(floor, clock, whys.ESCALATION_DUE)
        return
    percent = clock.plan.thresholds[clock.noticed][0]
    if percent == TARGET_PERCENT:
        breach_clock(floor, clock)
        return
    clock.noticed += 1
    floor.out.append(
        WarnSla(clock.contact.contact_id, clock.plan.name, clock.cycle, percent, whys.WARNING_DUE)
    )
    floor.due_actions.append((clock, clock.plan.promise.on_warning))
    arm_clock(floor, clock)


def breach_clock(floor: Floor, clock: Clock) -> None:
    """Decide that the promise is broken; the clock runs on until it is stopped."""
    floor.out.append(
        BreachSla(
            clock.contact.contact_id,
            clock.plan.name,
            clock.cycle,
            deadline_of(floor, clock),
            whys.DEADLINE_PASSED,
        )
    )
    if clock.phase == PAUSED:
        # It runs on to say how late it became, from where it stood.
        late_ms = clock.consumed_ms - clock.plan.target_ms
        clock.since_ms = floor.now_ms - late_ms
        clock.consumed_ms = clock.plan.target_ms
    clock.phase = BREACHED
    floor.timers.cancel(clock)
    arm_clock(floor, clock)
    floor.due_actions.append((clock, clock.plan.promise.on_breach))


def escalate(floor: Floor, clock: Clock, reason: Reason) -> None:
    """Call the next one in the promise's chain, as long as it has one."""
    chain = clock.plan.promise.escalation
    more = floor.more_of(clock.contact)
    level = more.escalated.get(clock.plan.name, 0)
    waited, clock.escalate_ms = clock.escalate_ms, 0
    if level < len(chain):
        more.escalated[clock.plan.name] = level + 1
        floor.out.append(
            EscalateContact(
                clock.contact.contact_id, clock.plan.name, level + 1, chain[level], reason
            )
        )
    if clock.phase != OVER:
        await_answer(floor, clock)
        if waited or clock.escalate_ms or clock.fifo is None:
            floor.timers.cancel(clock)
            arm_clock(floor, clock)


def await_answer(floor: Floor, clock: Clock) -> None:
    """Note when the next one of the chain is called unless the clock is stopped before."""
    promise, more = clock.plan.promise, clock.contact.more
    if not promise.escalate_every_ms or more is None:
        return
    if 0 < more.escalated.get(clock.plan.name, 0) < len(promise.escalation):
        clock.escalate_ms = clock.plan.due_ms(floor.now_ms, promise.escalate_every_ms)
