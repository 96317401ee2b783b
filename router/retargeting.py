"""Let clocks live on under other circumstances: reopened contacts, other promises.

A deadline is counted from the clock's original start with all its pauses. A breach is never
erased, and both deadlines stand in the journal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router import states, whys
from router.center import ReopenMode
from router.clocks import (
    AGENT_REPLIED,
    ARRIVED,
    ASSIGNED,
    COMPLAINT_RAISED,
    CONNECTED,
    REOPENED,
    RESOLVED,
    arm_clock,
    await_answer,
    breach_clock,
    cancel_clock,
    clock_of,
    deadline_of,
    send_signal,
    start_clock,
)
from router.decisions import RebaseSla, StartSla
from router.records import OVER, PAUSED, RUNNING, Clock, Contact
from router.sla import START, STOP, TARGET_PERCENT, PromisePlan

if TYPE_CHECKING:
    from router.floor import Floor


def reopen_clocks(floor: Floor, contact: Contact) -> None:
    """Let the promises of a reopened contact live on, as each of them says.

    `resume` carries the time that had run, so the time between counts as a pause; a promise that
    was broken cannot be resumed. `restart` gives the whole time again, and so does `new_cycle`,
    after which the chain is called from its first link again. What lives on are the promises that
    start with an arrival, and those of a complaint that the solution had answered. Promises whose
    start set names `reopened` have answered already.
    """
    send_signal(floor, contact, REOPENED)
    for plan in contact.profile.promises:
        clock = clock_of(contact, plan)
        if clock is None or clock.phase != OVER:
            continue
        if plan.actions[ARRIVED] != START and not _is_complaint_solved(plan):
            continue
        mode, had_ms = plan.promise.reopen, clock.consumed_ms
        whole = plan.for_start(floor.now_ms)
        if mode is ReopenMode.RESUME and is_same(plan, clock.plan):
            # Working days were counted from the first start; what is left of them is left.
            whole = clock.plan
        if mode is ReopenMode.NEW_CYCLE and contact.more is not None and contact.more.escalated:
            contact.more.escalated.pop(plan.name, None)
        if mode is not ReopenMode.RESUME or had_ms >= whole.target_ms:
            start_clock(floor, contact, plan, clock, whys.REOPENED)
            continue
        clock.plan = whole
        clock.cycle += 1
        clock.phase = RUNNING
        clock.started_ms = floor.now_ms
        clock.since_ms = floor.now_ms
        clock.noticed = _thresholds_passed(whole, had_ms)
        clock.escalate_ms = 0
        floor.out.append(
            StartSla(contact.contact_id, plan.name, clock.cycle, clock.deadline_ms, whys.REOPENED)
        )
        arm_clock(floor, clock)


def _is_complaint_solved(plan: PromisePlan) -> bool:
    """Say whether a promise of a complaint ends with the solution that did not hold."""
    return plan.actions[COMPLAINT_RAISED] == START and plan.actions[RESOLVED] == STOP


def _thresholds_passed(plan: PromisePlan, elapsed_ms: int) -> int:
    """Count the warnings that lie at or before `elapsed_ms` of running time."""
    return sum(
        1 for percent, ms in plan.thresholds if percent < TARGET_PERCENT and ms <= elapsed_ms
    )


def retarget_clocks(floor: Floor, contact: Contact) -> None:
    """Put the clocks under the promises that hold for the contact now.

    A deadline is counted from the clock's original start with all its pauses. A broken promise
    stays as it was broken. A promise new to the contact counts from its arrival, unless what it
    promises has happened already.
    """
    plans = contact.profile.promises
    clock = contact.clocks
    while clock is not None:
        follower = clock.next
        if clock.phase in (RUNNING, PAUSED):
            kind = clock.plan.promise.kind
            plan = next((p for p in plans if p.promise.kind is kind), None)
            if plan is None:
                cancel_clock(floor, clock)
            elif not is_same(plan, clock.plan):
                _rebase(floor, clock, plan.for_start(clock.started_ms))
        clock = follower
    if contact.state == states.SELF_SERVICE:
        # For people it has not arrived yet.
        return
    for plan, action in contact.profile.reactions[ARRIVED]:
        if action == START and clock_of(contact, plan) is None and not _is_done(contact, plan):
            started = Clock(contact, plan.for_start(contact.arrived_ms), 1, contact.arrived_ms)
            started.next = contact.clocks
            contact.clocks = started
            floor.out.append(
                StartSla(contact.contact_id, plan.name, 1, started.deadline_ms, whys.RETARGETED)
            )
            arm_clock(floor, started)
    if floor.by_deadline:
        floor.note_due(contact)


def is_same(plan: PromisePlan, other: PromisePlan) -> bool:
    """Say whether two plans promise the same, by the same name and the same hours."""
    if plan.name != other.name or plan.promise != other.promise:
        return False
    if plan.hours is None or other.hours is None:
        return plan.hours is other.hours
    return plan.hours.version == other.hours.version


def _is_done(contact: Contact, plan: PromisePlan) -> bool:
    """Say whether an agent was with the contact already, if that is what a promise promises."""
    served = contact.state in (states.HANDLING, states.WRAP_UP, states.AWAITING_CUSTOMER) or (
        contact.more is not None and contact.more.last_agent != ""
    )
    return served and any(
        plan.actions[signal] == STOP for signal in (ASSIGNED, CONNECTED, AGENT_REPLIED)
    )


def _rebase(floor: Floor, clock: Clock, plan: PromisePlan) -> None:
    """Move a clock from one promise to another of the same kind."""
    old_name, old_deadline_ms = clock.plan.name, deadline_of(floor, clock)
    said_percent = clock.plan.thresholds[clock.noticed - 1][0] if clock.noticed else 0
    if not _has_same_chain(clock.plan, plan):
        clock.escalate_ms = 0
    clock.plan = plan
    floor.out.append(
        RebaseSla(
            clock.contact.contact_id,
            plan.name,
            clock.cycle,
            old_deadline_ms,
            deadline_of(floor, clock),
            whys.RETARGETED,
            from_policy="" if old_name == plan.name else old_name,
        )
    )
    floor.timers.cancel(clock)
    # A percentage is said once; what the rebase moved into the past is due at once.
    clock.noticed = sum(1 for percent, _ in plan.thresholds if percent <= said_percent)
    if clock.phase == RUNNING:
        if not clock.escalate_ms:
            await_answer(floor, clock)
        arm_clock(floor, clock)
    elif clock.consumed_ms > plan.target_ms:
        breach_clock(floor, clock)


def _has_same_chain(plan: PromisePlan, other: PromisePlan) -> bool:
    """Say whether two plans call the same people by the same name after the same time."""
    one, two = plan.promise, other.promise
    return (plan.name, one.escalation, one.escalate_every_ms) == (
        other.name,
        two.escalation,
        two.escalate_every_ms,
    )
