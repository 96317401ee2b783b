"""Make a recording out of a list of calls, as any platform exports it.

Such a list says nothing of who was at his desk. That is found from what it does say. After a call
an agent is away for a while (he writes, fetches coffee, has a break); when he takes his next one he
is back. In between it is certain that he was not free

- as long as somebody waited whom he serves,
- and as long as not all were free yet who were given a call of this kind at once before him:
  who has been free for longest is given it.

He counts as back from the last such instant on. Up to `BREAK_MS` it is part of his call, as wrap-up
is; longer it is a break, at its own time; after `SHIFT_MS` another shift begins.
"""

from __future__ import annotations

import bisect
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from router import events as e
from router.center import Agent, Category, Center, Channel, Queue, Team
from router.checks import check_center
from router.events import Event
from simulation.fit.history import Ending, Visit
from simulation.whatif.outcomes import Outcome, Outcomes
from simulation.whatif.recording import Known, Place, Recording, Said, Script
from simulation.whatif.stages import Kind

BREAK_MS: Final = 1_800_000
SHIFT_MS: Final = 10_800_000
_EARLY_MS: Final = 1_800_000
_DAY_MS: Final = 86_400_000
_KNOWS_FROM: Final = 2
_KNOWS_SHARE: Final = 0.002
_AT_DESK: Final = "available"
_AWAY: Final = "break"
_PHONE: Final = "phone"
_NOBODY: Final = "nobody"


class ContactListError(ValueError):
    """A list from which no day can be made again: says why, and what to do."""


@dataclass(slots=True)
class Call:
    """One call: `free_ms` is when its agent is free again; `before` his call before it."""

    contact_id: str
    visit: Visit
    agent: str = ""
    free_ms: int = 0
    before: Call | None = None

    @property
    def wait_ms(self) -> int:
        """Return how long it waited."""
        return round(1000 * (self.visit.wait_s or 0.0))

    @property
    def taken_ms(self) -> int:
        """Return when it was answered or given up."""
        return self.visit.arrived_ms + self.wait_ms

    @property
    def work_ms(self) -> int:
        """Return how long it was served."""
        return round(1000 * (self.visit.handle_s or 0.0))

    @property
    def end_ms(self) -> int:
        """Return when its agent was done with it, wrap-up included where that is known."""
        return self.taken_ms + self.work_ms + round(1000 * (self.visit.wrap_up_s or 0.0))

    @property
    def answered(self) -> bool:
        """Say whether an agent answered."""
        return self.visit.ending is Ending.ANSWERED

    @property
    def kind(self) -> str:
        """Return what an agent must know to take it."""
        return self.visit.category


@dataclass
class Floor:
    """Who did what: calls in the order in which they came, and by agent; what agents know."""

    calls: list[Call]
    by_agent: dict[str, list[Call]] = field(default_factory=dict)
    knows: dict[str, frozenset[str]] = field(default_factory=dict)


def recording_of(visits: Iterable[Visit]) -> tuple[Recording, Outcomes]:
    """Return the recording of a list of calls, and what happened; raises `ContactListError`."""
    floor = _floor(visits)
    sure_ms = _sure_times(floor)
    recording = Recording()
    recording.listed = True
    recording.first_ms = floor.calls[0].visit.arrived_ms
    recording.center = _center(floor)
    outside: list[tuple[int, int, Event]] = []
    for agent_id, calls in floor.by_agent.items():
        outside += _presence(agent_id, calls, sure_ms)
    writer = _Writer(recording)
    redials = _redials(floor.calls, recording.redial_window_ms)
    for call in floor.calls:
        if call.contact_id not in redials:
            outside.append((call.visit.arrived_ms, 1, _arrival(call)))
    changed = e.CenterChanged(center=recording.center)
    recording.outside.append(writer.said(recording.first_ms, changed))
    for at_ms, _, event in sorted(outside, key=lambda one: one[:2]):
        recording.outside.append(writer.said(max(at_ms, recording.first_ms), event))
    for call in floor.calls:
        writer.write(call)
    for call in floor.calls:
        earlier = redials.get(call.contact_id)
        if earlier is not None:
            writer.redial(earlier, call)
    recording.redials = len(redials)
    recording.end_ms = max(call.free_ms or call.end_ms for call in floor.calls) + SHIFT_MS
    recording.entries = len(floor.calls)
    return recording, _happened(floor, recording.center)


def _floor(visits: Iterable[Visit]) -> Floor:
    """Sort calls by who served them; who is not named serves but the one call."""
    found = sorted(visits, key=lambda visit: visit.arrived_ms)
    others = sorted({visit.channel for visit in found if visit.channel != _PHONE})
    if others:
        raise ContactListError(
            f"a list of contacts can be replayed for calls, of which an agent has one at a time; "
            f"this one has {', '.join(others)}: keep the rows of the phone, or replay a journal"
        )
    if not found:
        raise ContactListError("no contacts in it; nothing to replay")
    floor = Floor([Call(f"call-{number:06d}", visit) for number, visit in enumerate(found, 1)])
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for call in floor.calls:
        if call.answered:
            call.agent = call.visit.agent or f"unnamed-{call.contact_id[5:]}"
            call.free_ms = call.end_ms
            floor.by_agent.setdefault(call.agent, []).append(call)
            counts[call.agent][call.kind] += 1
    if not floor.by_agent:
        raise ContactListError("nobody answered in it; a list needs answered calls, with agents")
    for calls in floor.by_agent.values():
        calls.sort(key=lambda call: (call.taken_ms, call.end_ms))
        for before, call in pairwise(calls):
            call.before = before
    floor.knows = _knowledge(counts)
    return floor


def _knowledge(counts: dict[str, Counter[str]]) -> dict[str, frozenset[str]]:
    """Return what agents know: what they did more than once; of the rarest, whoever did it."""
    often = {
        agent_id: {
            kind
            for kind, count in mine.items()
            if count >= max(min(_KNOWS_FROM, mine.total()), _KNOWS_SHARE * mine.total())
        }
        for agent_id, mine in counts.items()
    }
    common = set().union(*often.values())
    return {
        agent_id: frozenset(often[agent_id] | {kind for kind in mine if kind not in common})
        for agent_id, mine in counts.items()
    }


def _sure_times(floor: Floor) -> dict[str, int]:
    """Return until when it is certain, before each call, that its agent was not free; by call."""
    waited = sorted(
        (call.visit.arrived_ms, call.taken_ms, call.kind) for call in floor.calls if call.wait_ms
    )
    starts = [start_ms for start_ms, _, _ in waited]
    longest_ms = max((end_ms - start_ms for start_ms, end_ms, _ in waited), default=0)
    sure_ms: dict[str, int] = {}
    for agent_id, calls in floor.by_agent.items():
        for call in calls:
            sure_ms[call.contact_id] = _last_waiting(
                call, floor.knows[agent_id], waited, starts, longest_ms
            )
    # Of two who were given a call at once, who had been free for longer was given the first.
    latest: dict[str, int] = {}
    for call in floor.calls:
        if call.answered and not call.wait_ms and call.visit.agent:
            sure = max(latest.get(call.kind, 0), sure_ms[call.contact_id])
            latest[call.kind] = sure
            sure_ms[call.contact_id] = min(call.taken_ms, sure)
    return sure_ms


def _last_waiting(
    call: Call,
    knows: frozenset[str],
    waited: Sequence[tuple[int, int, str]],
    starts: Sequence[int],
    longest_ms: int,
) -> int:
    """Return the last instant before a call at which its agent cannot have been free."""
    if call.wait_ms or not call.visit.agent:
        return call.taken_ms
    from_ms = call.taken_ms - _EARLY_MS
    if call.before is not None and call.taken_ms - call.before.end_ms < SHIFT_MS:
        from_ms = min(call.before.end_ms, call.taken_ms)
    latest_ms = from_ms
    for place in range(bisect.bisect_left(starts, call.taken_ms) - 1, -1, -1):
        start_ms, end_ms, kind = waited[place]
        if start_ms + longest_ms < latest_ms:
            break
        if kind in knows:
            latest_ms = max(latest_ms, min(end_ms, call.taken_ms))
    return latest_ms


def _presence(
    agent_id: str, calls: Sequence[Call], sure_ms: dict[str, int]
) -> list[tuple[int, int, Event]]:
    """Return when an agent signs in and out and has breaks; what is left is his wrap-up."""
    events: list[tuple[int, int, Event]] = []
    session = 0
    for call in calls:
        before, back_ms = call.before, sure_ms[call.contact_id]
        if before is None or call.taken_ms - before.end_ms >= SHIFT_MS:
            if before is not None:
                events.append((before.free_ms + 1, 2, e.AgentSignedOut(agent_id, session)))
            session += 1
            back_ms = max(back_ms, call.taken_ms - _EARLY_MS)
            events.append((back_ms, 0, e.AgentSignedIn(agent_id, session, _AT_DESK)))
        elif back_ms - before.end_ms > BREAK_MS:
            away = e.AgentPresenceChanged(agent_id, _AWAY, session)
            events.append((before.end_ms, 2, away))
            back = e.AgentPresenceChanged(agent_id, _AT_DESK, session)
            events.append((back_ms, 0, back))
        else:
            before.free_ms = max(back_ms, before.end_ms)
    events.append((calls[-1].free_ms + 1, 2, e.AgentSignedOut(agent_id, session)))
    return events


def _center(floor: Floor) -> Center:
    """Return the rules: a line a queue, who knows what; the oldest first, longest free first."""
    kinds = {call.kind: call.visit.queue for call in floor.calls}
    # What nobody was ever there for needs an agent all the same; he never signs in.
    unknown = set(kinds).difference(*floor.knows.values())
    knows = floor.knows | ({_NOBODY: frozenset(unknown)} if unknown else {})
    center = Center(
        name="list-of-contacts",
        version=1,
        channels={_PHONE: Channel(auto_accept=True)},
        skills=tuple(sorted(kinds)),
        queues={queue: Queue() for queue in sorted(set(kinds.values()))},
        categories={
            kind: Category(queue=queue, needs={kind: 1}, wrap_up_ms=_DAY_MS)
            for kind, queue in sorted(kinds.items())
        },
        teams={"agents": Team()},
        agents={
            agent_id: Agent(team="agents", skills=dict.fromkeys(sorted(mine), 5))
            for agent_id, mine in sorted(knows.items())
        },
    )
    wrong = [problem for problem in check_center(center) if not problem.warning]
    if wrong:
        raise ContactListError(
            f"no centre can be made of its names: {wrong[0].message}; rename them in the list"
        )
    return center


def _arrival(call: Call) -> e.ContactArrived:
    return e.ContactArrived(call.contact_id, _PHONE, call.kind, customer=call.visit.customer)


def _redials(calls: Sequence[Call], window_ms: int) -> dict[str, Call]:
    """Return, by the call that is a redial, the one that was given up before it."""
    gone: dict[str, Call] = {}
    found: dict[str, Call] = {}
    for call in calls:
        customer = call.visit.customer
        if not customer:
            continue
        earlier = gone.pop(customer, None)
        if earlier is not None and 0 <= call.visit.arrived_ms - earlier.taken_ms <= window_ms:
            found[call.contact_id] = earlier
        if call.visit.ending is Ending.ABANDONED:
            gone[customer] = call
    return found


class _Writer:
    """Write what answered a stage as a journal would show it."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._seq = 0

    def said(self, at_ms: int, event: Event, after_ms: int = 0) -> Said:
        """Return an event with the next number."""
        self._seq += 1
        return Said(self._seq, at_ms, event, "", 0, late=False, after_ms=after_ms, wall_ms=after_ms)

    def write(self, call: Call) -> None:
        """Write the stages of a call."""
        contact_id, visit = call.contact_id, call.visit
        gave_up = visit.ending is Ending.ABANDONED
        left = e.ContactAbandoned(contact_id) if gave_up else None
        self._stage(call, Kind.WAIT, call.wait_ms, left)
        if gave_up:
            self._stage(call, Kind.CLOSED, 0, None, "abandoned")
        if call.answered:
            self._stage(call, Kind.SERVICE, call.work_ms, e.ContactResolved(contact_id))
            wrapped = e.WrapUpEnded(contact_id, call.agent)
            length_ms = max(0, call.free_ms - call.taken_ms - call.work_ms)
            self._stage(call, Kind.WRAP_UP, length_ms, wrapped)

    def _stage(
        self, call: Call, kind: Kind, length_ms: int, event: Event | None, exit_: str = ""
    ) -> None:
        script = Script("" if kind in (Kind.WAIT, Kind.CLOSED) else call.agent)
        script.length_ms, script.own_end = length_ms, event is not None
        if event is not None:
            script.said.append(self.said(0, event, length_ms))
        self._recording.scripts[_place(call, kind, exit_)] = script
        self._recording.known.append(Known(call.kind, _PHONE, kind, script, off_line=False))

    def redial(self, earlier: Call, call: Call) -> None:
        """Let a call answer that it was given up before."""
        script = self._recording.scripts[_place(earlier, Kind.CLOSED, "abandoned")]
        after_ms = call.visit.arrived_ms - earlier.taken_ms
        script.said.append(self.said(call.visit.arrived_ms, _arrival(call), after_ms))


def _place(call: Call, kind: Kind, exit_: str) -> Place:
    return call.contact_id, kind.value, exit_, 0


def _happened(floor: Floor, center: Center) -> Outcomes:
    """Return what became of each call."""
    outcomes = Outcomes()
    for call in floor.calls:
        visit = call.visit
        name = center.categories[call.kind].queue
        queue = center.queues[name]
        outcomes.contacts[call.contact_id] = Outcome(
            contact_id=call.contact_id,
            arrived_ms=visit.arrived_ms,
            category=call.kind,
            channel=_PHONE,
            queue=name,
            ending=_ENDINGS[visit.ending],
            wait_ms=call.wait_ms,
            agent_id=call.agent,
            within_ms=queue.service_level_ms,
            short_ms=queue.short_abandon_ms,
        )
    return outcomes


_ENDINGS: Final = {
    Ending.ANSWERED: "answered",
    Ending.ABANDONED: "abandoned",
    Ending.OTHER: "deflected",
}
