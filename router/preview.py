"""Say what a new configuration would do to a running centre, before it is accepted.

A copy of the router is asked, so the answer is what the router would decide at this point: which
running clocks would move under `rebase`, which queues still have contacts in them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from router.decisions import BreachSla, Decision, Reason, RebaseSla, RefuseEvent, StartSla, StopSla
from router.events import CenterChanged, Stamped, TimeAdvanced
from router.explain_present import say_instant
from router.on_center import open_contacts_of
from router.records import BREACHED, Contact
from router.retargeting import is_same
from router.router import Router

if TYPE_CHECKING:
    from router.center import Center
    from router.sla import PromisePlan


@dataclass(frozen=True, slots=True)
class MovedClock:
    """A clock that would move: instants in ms, -1 where there is none.

    `effect` is `moved`, `broken at once`, `canceled`, `new`, or `stays broken` (its promise would
    be another, but it was broken already).
    """

    contact_id: str
    promise: str
    before: str
    cycle: int
    old_deadline_ms: int
    deadline_ms: int
    effect: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a new configuration would do; `faults` are why it would be refused as it stands.

    `queues` maps each queue that would be gone to how many open contacts are in it.
    """

    at_ms: int
    version: int
    faults: tuple[str, ...]
    queues: dict[str, int]
    clocks: tuple[MovedClock, ...]


def preview(
    router: Router,
    center: Center,
    move_to: dict[str, str] | None = None,
    drain: tuple[str, ...] = (),
) -> Preview:
    """Return what `center` would do to the router's centre, rebased; the router stays as it is."""
    running = router.floor.center
    if running is None:
        return Preview(router.now_ms, 0, ("the journal holds no configuration yet",), {}, ())
    moves = dict(move_to or {})
    gone = _gone_queues(router, center)
    faults = [
        f"queue {name} is gone and has {count} in it: give --drain {name}, or "
        f"--move-to {name}=OTHER"
        for name, count in gone.items()
        if name not in drain and name not in moves
    ]
    if center.version <= running.version:
        faults.append(
            f"version {center.version} does not follow version {running.version}, which runs; "
            f"write version: {running.version + 1} or higher"
        )
    copy = Router.restore(router.snapshot())
    # What is missing is mended here, so that the clocks can be looked at all the same.
    mended = replace(center, version=max(center.version, running.version + 1))
    event = CenterChanged(
        mended, moves, (*drain, *(q for q in gone if q not in moves)), rebase=True
    )
    decided = copy.handle(Stamped(copy.seq + 1, copy.now_ms, event))
    faults += [_say_refusal(said) for said in decided if isinstance(said, RefuseEvent)]
    broken = _broken_now(copy)
    clocks = [found for decision in decided if (found := _moved(decision, broken))]
    clocks += _staying_broken(router, copy)
    return Preview(router.now_ms, running.version, tuple(faults), gone, tuple(clocks))


def _gone_queues(router: Router, center: Center) -> dict[str, int]:
    """Count the open contacts in each queue that the new configuration does not have."""
    found: dict[str, int] = {}
    for contact in open_contacts_of(router.floor):
        lane, more = contact.lane, contact.more
        queue = contact.profile.queue if more is None or more.queue is None else more.queue
        name = queue.name if lane is None else lane.demand.queue.name
        if name not in center.queues:
            found[name] = found.get(name, 0) + 1
    return dict(sorted(found.items()))


def _say_refusal(refusal: RefuseEvent) -> str:
    if refusal.reason is Reason.STILL_IN_USE:
        return f"open contacts need {refusal.subject}, which is gone; keep it until they have ended"
    return f"refused: {refusal.reason.value} {refusal.subject}".rstrip()


def _broken_now(copy: Router) -> set[tuple[str, str, int]]:
    """Let fall due what lies in the past now, and return the clocks that it breaks."""
    broken = set()
    while (due_ms := copy.next_deadline()) is not None and due_ms <= copy.now_ms:
        for decision in copy.handle(Stamped(copy.seq + 1, copy.now_ms, TimeAdvanced())):
            if isinstance(decision, BreachSla):
                broken.add((decision.contact_id, decision.policy, decision.cycle))
    return broken


def _moved(decision: Decision, broken: set[tuple[str, str, int]]) -> MovedClock | None:
    match decision:
        case RebaseSla():
            name = (decision.contact_id, decision.policy, decision.cycle)
            return MovedClock(
                decision.contact_id,
                decision.policy,
                decision.from_policy or decision.policy,
                decision.cycle,
                decision.old_deadline_ms,
                decision.deadline_ms,
                "broken at once" if name in broken else "moved",
            )
        case StopSla(reason=Reason.CLOCK_CANCELED):
            promise, cycle = decision.policy, decision.cycle
            return MovedClock(decision.contact_id, promise, promise, cycle, -1, -1, "canceled")
        case StartSla(reason=Reason.RETARGETED):
            promise, cycle, due_ms = decision.policy, decision.cycle, decision.deadline_ms
            return MovedClock(decision.contact_id, promise, "", cycle, -1, due_ms, "new")
        case _:
            return None


def _staying_broken(router: Router, copy: Router) -> list[MovedClock]:
    """List the clocks that are broken already and whose promise would be another."""
    found = []
    for contact in open_contacts_of(router.floor):
        renewed = copy.floor.contacts.get(contact.contact_id)
        clock = contact.clocks
        while clock is not None:
            if (
                clock.phase == BREACHED
                and renewed is not None
                and not _is_kept(clock.plan, renewed)
            ):
                due_ms, name = clock.deadline_ms, clock.plan.name
                found.append(
                    MovedClock(
                        contact.contact_id, name, name, clock.cycle, due_ms, due_ms, "stays broken"
                    )
                )
            clock = clock.next
    return found


def _is_kept(plan: PromisePlan, renewed: Contact) -> bool:
    """Say whether a promise is made to a contact under the new configuration as before."""
    return any(is_same(plan, other) for other in renewed.profile.promises)


def preview_lines(found: Preview) -> list[str]:
    """Write a preview as lines for people."""
    lines = [f"against version {found.version}, as of {say_instant(found.at_ms)}:"]
    lines += [f"  would be refused: {fault}" for fault in found.faults]
    if not found.clocks:
        return [*lines, "  no clock would move under --rebase"]
    count = len(found.clocks)
    noun = "clock" if count == 1 else "clocks"
    lines.append(f"  {count} {noun} would move under --rebase (and none without it):")
    for clock in found.clocks:
        promise = clock.promise
        if clock.before and clock.before != promise:
            promise = f"{clock.before} -> {promise}"
        old, new = _say(clock.old_deadline_ms), _say(clock.deadline_ms)
        lines.append(f"  {clock.contact_id}  {promise}  {old} -> {new}  {clock.effect}")
    return lines


def _say(at_ms: int) -> str:
    return "-" if at_ms < 0 else say_instant(at_ms)
