"""Say what is changed: more people, other rules, other volume; in words of a supervisor too.

An alteration is plain data, so that it can be sent to other processes and told in an answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from configs.changes import Change
from configs.durations import DurationError, parse_clock
from configs.planning import Scenario
from router import events as e
from router.center import Agent, Center
from router.events import Event
from router.problems import suggest
from simulation.plan.changes import ChangeError, apply_changes
from simulation.plan.people import groups_of
from simulation.whatif.laws import Drawn
from simulation.whatif.recording import Recording, Said

_QUARTER_MS = 900_000


class AlterationError(ValueError):
    """A change that does not fit: says what, and what there is."""


@dataclass(frozen=True, kw_only=True)
class Reinforcement:
    """More agents of a team, a queue or a skill, between two instants (ms)."""

    where: str
    agents: int
    from_ms: int
    to_ms: int


@dataclass(frozen=True, kw_only=True)
class Alteration:
    """Everything that is changed; the default changes nothing.

    `center` replaces the configuration, `changes` (of a scenario file) alter it; `demand`
    multiplies the volume.
    """

    reinforcements: tuple[Reinforcement, ...] = ()
    center: Center | None = None
    changes: tuple[Change, ...] = ()
    demand: float = 1.0
    told: str = ""

    def newcomers(self, center: Center) -> dict[str, tuple[Agent, Reinforcement]]:
        """Return the agents added, by id; raises `AlterationError`."""
        found: dict[str, tuple[Agent, Reinforcement]] = {}
        for part in self.reinforcements:
            model = model_of(center, part.where)
            number = 0
            for _ in range(part.agents):
                number += 1
                while (name := f"{part.where}.{number:03d}") in center.agents or name in found:
                    number += 1
                found[name] = (model, part)
        return found

    def altered(self, center: Center) -> Center:
        """Return a configuration after the change; raises `AlterationError`."""
        base = self.center if self.center is not None else center
        if self.changes:
            base = _changed(base, self.changes)
        added = {name: agent for name, (agent, _) in self.newcomers(base).items()}
        return replace(base, agents={**base.agents, **added}) if added else base

    def events(self, recording: Recording, lots: Drawn) -> tuple[tuple[int, Event], ...]:
        """Return what comes from outside besides the recording: newcomers, copies of contacts."""
        assert recording.center is not None, "asked of a recording with a configuration"
        events: list[tuple[int, Event]] = []
        center = self.altered(recording.center)
        at_desk = next((name for name, works in center.presences.items() if works), "available")
        beat_ms = center.offers.heartbeat_timeout_ms // 2
        for name, (_, part) in self.newcomers(self.center or recording.center).items():
            from_ms = max(part.from_ms, recording.first_ms)
            events.append((from_ms, e.AgentSignedIn(name, 1, at_desk)))
            if beat_ms:
                beats = range(from_ms + beat_ms, part.to_ms, beat_ms)
                events += [(at_ms, e.AgentHeartbeat(name, 1)) for at_ms in beats]
            events.append((part.to_ms, e.AgentSignedOut(name, 1)))
        if self.demand > 1:
            events += self._copies(recording, lots)
        return tuple(events)

    def _copies(self, recording: Recording, lots: Drawn) -> list[tuple[int, Event]]:
        """Return copies of recorded contacts, each within the quarter of an hour of its model."""
        copies: list[tuple[int, Event]] = []
        for said in recording.outside:
            event = said.event
            if not isinstance(event, e.ContactArrived):
                continue
            count = int(lots.lot(event.contact_id, "copies") + self.demand - 1)
            for number in range(count):
                quarter_ms = said.at_ms - said.at_ms % _QUARTER_MS
                lot = lots.lot(event.contact_id, "copy-at", number)
                at_ms = max(recording.first_ms, quarter_ms + int(lot * _QUARTER_MS))
                name = f"{event.contact_id[:52]}.copy{number + 1}"
                copy = e.ContactArrived(
                    name, event.channel, event.category, event.priority, f"{name}.customer"[:64],
                    event.tier, event.language, queue=event.queue, skills=event.skills,
                )  # fmt: skip
                copies.append((at_ms, copy))
        return copies

    def drops(self, said: Said, lots: Drawn) -> bool:
        """Say whether a recorded event does not happen, since its contact does not come."""
        if self.demand >= 1:
            return False
        contact_id = getattr(said.event, "contact_id", "")
        return bool(contact_id) and lots.lot(contact_id, "comes") >= self.demand


def model_of(center: Center, where: str) -> Agent:
    """Return an agent like whom newcomers are: of a team, of a queue's teams, or with a skill.

    Of those who could be meant, the one with the most of the skills that are needed there, at the
    lowest levels. Raises `AlterationError`.
    """
    agents = center.agents.values()
    if where in center.teams:
        known = [agent for agent in agents if agent.team == where]
        needed: set[str] = {skill for agent in known for skill in agent.skills}
    elif where in center.queues:
        teams = center.queues[where].teams
        known = [agent for agent in agents if not teams or agent.team in teams]
        needed = {
            skill
            for category in center.categories.values()
            if category.queue == where
            for skill in category.needs
        }
    elif where in center.skills:
        known = [agent for agent in agents if where in agent.skills]
        needed = {where}
    else:
        names = [*center.teams, *center.queues, *center.skills]
        near = suggest(where, names)
        hint = f'did you mean "{near}"?' if near else "known are " + ", ".join(names)
        raise AlterationError(f'no team, queue or skill "{where}"; {hint}')
    if not known:
        raise AlterationError(f'"{where}" has no agent like whom more could be added')

    def fitness(agent: Agent) -> tuple[int, int]:
        return -len(needed & set(agent.skills)), sum(agent.skills.values())

    return min(known, key=fitness)


def _changed(center: Center, changes: tuple[Change, ...]) -> Center:
    """Return a configuration after changes of a scenario file; raises `AlterationError`."""
    scenario = Scenario(name="recorded", center=center, date="2026-01-01", demand={})
    scenario = replace(scenario, workforce=groups_of(scenario))
    for change in changes:
        for word in ("demand", "bot", "sick", "outsource", "site_lost", "hours", "agents"):
            if getattr(change, word) is not None:
                raise AlterationError(
                    f'changes: "{word}" changes the customers or the shifts of a scenario; here '
                    "give --demand or --add, or a change of the centre"
                )
    try:
        return apply_changes(scenario, changes).center
    except ChangeError as error:
        raise AlterationError(str(error)) from error


def parse_share(text: str) -> float:
    """Read `+30%`, `-20%` or `1.3` as a factor; raises `AlterationError`."""
    body = text.strip()
    try:
        factor = 1 + float(body[:-1]) / 100 if body.endswith("%") else float(body)
    except ValueError:
        factor = -1.0
    if not 0 <= factor <= 10:
        raise AlterationError(f'demand "{text}": write +30%, -20% or a factor from 0 to 10')
    return factor


def parse_added(text: str) -> tuple[str, int]:
    """Read `care=3`; raises `AlterationError`."""
    where, equals, number = text.partition("=")
    if not equals or not where or not number.isdecimal() or not 0 < int(number) <= 1_000:
        raise AlterationError(f'"{text}": write a team, queue or skill and how many: care=3')
    return where, int(number)


def parse_between(text: str, day_ms: int, zone: str) -> tuple[int, int]:
    """Read `10:00-12:00` on the local day of an instant; raises `AlterationError`."""
    first, dash, last = text.partition("-")
    local = datetime.fromtimestamp(day_ms / 1000, UTC).astimezone(ZoneInfo(zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    midnight_ms = round(midnight.timestamp() * 1000)
    try:
        from_ms, to_ms = (midnight_ms + parse_clock(part.strip()) for part in (first, last))
    except (DurationError, ValueError) as error:
        raise AlterationError(f'between "{text}": write 10:00-12:00') from error
    if not dash or to_ms <= from_ms:
        raise AlterationError(f'between "{text}": write 10:00-12:00, the later time last')
    return from_ms, to_ms
