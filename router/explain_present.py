"""Tell how things stand for one contact: what it waits for, until when, what its clocks say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from router.calendars import show_timeline, timeline
from router.candidates import Candidate, group_obstacles, look_at, say_duration
from router.contacts import ContactState
from router.deadlines import NEVER
from router.records import BREACHED, OVER, PAUSED, Clock, Contact

if TYPE_CHECKING:
    from router.floor import Floor
    from router.plan import QueuePlan
    from router.router import Router

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def say_instant(at_ms: int) -> str:
    """Write an instant as UTC time of day with date, to the millisecond."""
    moment = _EPOCH + timedelta(milliseconds=at_ms)
    return moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{at_ms % 1000:03d} UTC"


def say_closed(floor: Floor, queue: QueuePlan) -> str:
    """Say until when a queue is closed, in its own local time; "" while it is open."""
    door, center = queue.door, floor.center
    if door is None or door.is_open or center is None:
        return ""
    at_ms = door.turns_ms
    weekday = (_EPOCH + timedelta(milliseconds=at_ms + door.hours.offset_ms(at_ms))).strftime("%a")
    local = door.hours.local_text(at_ms).removesuffix(":00")
    zone = center.calendars[door.hours.name].zone
    return f"queue {queue.name} is closed until {weekday} {local} ({zone})"


def tell_deadline(clock: Clock | None) -> list[str]:
    """Tell the way to a deadline through opening hours, in the calendar's local time."""
    if clock is None or clock.plan.hours is None or clock.phase == OVER:
        return []
    hours = clock.plan.hours
    left_ms = clock.plan.target_ms - clock.consumed_ms
    return [
        f"by the calendar {hours.name}:",
        *show_timeline(hours, timeline(hours, clock.since_ms, left_ms)),
    ]


def tell_obstacles(views: list[Candidate]) -> list[str]:
    """Tell who could not serve a contact and why, the most frequent obstacle first."""
    return [
        f"not {', '.join(examples)}{f' and {count - len(examples)} more' * (count > len(examples))}"
        f": {text}"
        for text, count, examples in group_obstacles(views)
    ]


def tell_present(router: Router, contact: Contact) -> list[str]:
    """Tell how an open contact stands, and for a waiting one what it waits for."""
    floor, now_ms = router.floor, router.now_ms
    age = say_duration(now_ms - contact.arrived_ms)
    lines = [f"{say_instant(now_ms)}  now: {_say_state(contact)}, {age} after its arrival"]
    if contact.state == ContactState.WAITING:
        lines.extend(f"    {line}" for line in _tell_wait(floor, contact))
    elif contact.state == ContactState.SCHEDULED and contact.more is not None:
        due = say_instant(contact.more.callback_due_ms)
        lines.append(f"    its customer is called at {due}; called so far: {contact.more.dials}")
    clock = contact.clocks
    while clock is not None:
        if clock.phase != OVER:
            lines.extend(f"      {line}" for line in tell_deadline(clock))
            left = say_duration(clock.deadline_ms - now_ms)
            state = f"due in {left}"
            if clock.phase == PAUSED:
                state = f"paused with {say_duration(clock.plan.target_ms - clock.consumed_ms)} left"
            elif clock.phase == BREACHED:
                state = f"broken, {say_duration(now_ms - clock.deadline_ms)} late by now"
            lines.append(f"    promise {clock.plan.name}: {state}")
        clock = clock.next
    return lines


def _say_state(contact: Contact) -> str:
    return ContactState(contact.state).name.lower().replace("_", " ")


def _tell_wait(floor: Floor, contact: Contact) -> list[str]:
    """Tell why a contact waits: who is ahead, who could serve it, what would have to change."""
    lane = contact.lane
    assert lane is not None, "a waiting contact has a lane"
    assert floor.center is not None, "a centre comes before contacts"
    demand, more = lane.demand, contact.more
    needs = ", ".join(f"{skill} >= {level}" for skill, level in demand.needs) or "no skill"
    lines = [
        (
            f"waits in queue {demand.queue.name} at step {contact.step}, "
            f"priority {lane.priority}, needs {needs} (configuration {floor.center.version})"
        )
    ]
    if contact.contact_id in demand.queue.resting:
        lines.append(f"{say_closed(floor, demand.queue)}; nobody is asked before")
        return lines + _tell_limits(floor, contact)
    if more is not None and more.affinity is not None:
        until = say_duration(more.affinity_until_ms - floor.now_ms)
        lines.append(f"for {more.affinity.agent_id} alone, for another {until}; then for anyone")
    ahead = sum(
        1
        for other in demand.lanes
        for waiting in other.contacts()
        if (9 - other.priority, waiting.place) < (9 - lane.priority, contact.place)
    )
    lines.append(f"{ahead} with the same needs are ahead of it by priority and age")
    views = look_at(floor, demand, contact)
    able = [view for view in views if not view.obstacle]
    if able:
        lines.append(f"free, but held back: {', '.join(view.agent_id for view in able[:3])}")
    lines.extend(tell_obstacles(views))
    lines.append(_say_change(views))
    return lines + _tell_limits(floor, contact)


def _tell_limits(floor: Floor, contact: Contact) -> list[str]:
    """Tell what time alone will do to a waiting contact, and when."""
    lines = []
    step_ms, limit_ms = floor.next_step_ms(contact), floor.queue_limit_ms(contact)
    if step_ms != NEVER:
        due = say_duration(step_ms - floor.now_ms)
        lines.append(f"routing step {contact.step + 1} falls due in {due}")
    if limit_ms != NEVER:
        lines.append(
            f"the queue's wait limit is reached in {say_duration(limit_ms - floor.now_ms)}"
        )
    return lines


def _say_change(views: list[Candidate]) -> str:
    """Say what would have to change for the contact to be offered."""
    busy = sum(1 for view in views if view.obstacle.startswith("busy"))
    away = sum(1 for view in views if view.obstacle.startswith(("away", "left in peace")))
    out = sum(1 for view in views if view.obstacle.startswith(("signed out", "lost")))
    kept = sum(1 for view in views if view.obstacle.startswith(("kept for", "not lent", "not yet")))
    if kept:
        return (
            f"it is offered when one of {kept} idle agents is no longer kept, or one more is free"
        )
    if busy:
        return f"it is offered when one of {busy} busy agents becomes free and it is first"
    if away:
        return f"it is offered when one of {away} agents who are away comes back and it is first"
    if out:
        return f"nobody who could serve it is there: one of {out} agents would have to sign in"
    return (
        "no configured agent could serve it at this step: a wider step or other skills are needed"
    )
