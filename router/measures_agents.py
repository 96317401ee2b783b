"""Follow what agents do: who is signed in, in which state, and for how long.

An agent is in one state at a time, the first that holds of: handling, wrap-up, offered, idle
(his presence takes work), away. So an agent with a chat and a ringing call is handling, and
one who went on break in a call is handling until it ends. Times are kept per team, also of
agents who have left, and written on each agent's card of the day (`router.measures_cards`).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Final

from router.center import Center
from router.enums import plain
from router.measures_cards import Card, Day, Days
from router.measures_shifts import ShiftPlan
from router.measures_waits import Staff


@plain
class AgentState(Enum):
    """Name the states in which a signed-in agent may be, as they are counted."""

    AWAY = "away"
    IDLE = "idle"
    OFFERED = "offered"
    HANDLING = "handling"
    WRAP_UP = "wrap_up"


_BUSY: Final = (AgentState.HANDLING, AgentState.WRAP_UP)


class _Agent:
    """Hold one agent; `state` is None while he is not signed in, whatever he still holds."""

    __slots__ = (
        "agent_id", "handling", "presence", "profile", "ringing", "since_ms", "state", "team",
        "wrapping_up",
    )  # fmt: skip

    def __init__(self, agent_id: str, team: str, profile: int) -> None:
        self.agent_id = agent_id
        self.team = team
        self.profile = profile
        self.presence = ""
        # since when each offer is held out
        self.ringing: dict[str, int] = {}
        self.handling: dict[str, None] = {}
        self.wrapping_up: dict[str, None] = {}
        self.state: AgentState | None = None
        self.since_ms = 0


class AgentClocks:
    """Count signed-in agents by team and state, and the time they spent there."""

    def __init__(self, days: Days, plan: ShiftPlan | None = None) -> None:
        """Write times on the cards of `days`, and what fits the plan if there is one."""
        self.days = days
        self.plan = plan
        self.staff = Staff()
        self._skills: dict[str, dict[str, int]] = {}
        self._agents: dict[str, _Agent] = {}
        self._counts: dict[tuple[str, AgentState], int] = {}
        self._times_ms: dict[tuple[str, AgentState], int] = {}
        self._presences: dict[str, bool] = {}
        self._teams: dict[str, str] = {}
        # of agents who are no longer configured, too
        self._last_teams: dict[str, str] = {}

    def configure(self, center: Center, now_ms: int) -> None:
        """Take over teams and presences of a (new) configuration."""
        self._presences = center.presences
        self._teams = {agent_id: agent.team for agent_id, agent in center.agents.items()}
        self._last_teams.update(self._teams)
        self._skills = {agent_id: agent.skills for agent_id, agent in center.agents.items()}
        for agent_id, agent in list(self._agents.items()):
            signed_in = agent.state is not None
            self._enter(agent, None, now_ms)
            if agent_id not in self._teams:
                del self._agents[agent_id]
                continue
            agent.team = self._teams[agent_id]
            agent.profile = self.staff.profile(agent.team, self._skills[agent_id])
            if signed_in:
                self._enter(agent, self._state_of(agent), now_ms)

    def sign_in(self, agent_id: str, presence: str, now_ms: int) -> None:
        """Open a session, or take a lost one up again; work at hand stays with the agent."""
        agent = self._find(agent_id)
        agent.presence = presence
        self._enter(agent, self._state_of(agent), now_ms)

    def sign_out(self, agent_id: str, now_ms: int) -> None:
        """Close the session; work that goes on is not counted until he is back."""
        self._enter(self._find(agent_id), None, now_ms)

    def learn_skills(self, agent_id: str, skills: dict[str, int], now_ms: int) -> None:
        """Note that an agent's skills were replaced."""
        agent = self._find(agent_id)
        state = agent.state
        self._enter(agent, None, now_ms)
        self._skills[agent_id] = skills
        agent.profile = self.staff.profile(agent.team, skills)
        self._enter(agent, state, now_ms)

    def ring(self, agent_id: str, contact_id: str, now_ms: int) -> None:
        """Note that an offer is held out to the agent."""
        agent = self._find(agent_id)
        agent.ringing[contact_id] = now_ms
        self._refresh(agent, now_ms)

    def handle(self, agent_id: str, contact_id: str, now_ms: int) -> int:
        """Note that an assignment began; return for how long it had been offered."""
        agent = self._find(agent_id)
        offered_ms = agent.ringing.pop(contact_id, now_ms)
        agent.handling[contact_id] = None
        self._refresh(agent, now_ms)
        return now_ms - offered_ms

    def wrap_up(self, agent_id: str, contact_id: str, now_ms: int) -> None:
        """Note that the work after the contact began."""
        agent = self._find(agent_id)
        agent.handling.pop(contact_id, None)
        agent.wrapping_up[contact_id] = None
        self._refresh(agent, now_ms)

    def release(self, agent_id: str, contact_id: str, now_ms: int) -> None:
        """Note that offer or assignment is over; nothing happens if there was none."""
        agent = self._find(agent_id)
        agent.ringing.pop(contact_id, None)
        agent.handling.pop(contact_id, None)
        agent.wrapping_up.pop(contact_id, None)
        self._refresh(agent, now_ms)

    def count(self, team: str, state: AgentState) -> int:
        """Return how many signed-in agents of a team are in a state."""
        return self._counts.get((team, state), 0)

    def state_of(self, agent_id: str) -> AgentState | None:
        """Return an agent's state, None when he is not signed in."""
        agent = self._agents.get(agent_id)
        return agent.state if agent is not None else None

    def busy_and_signed_in_ms(self, team: str, now_ms: int) -> tuple[int, int]:
        """Return the agents' time in handling or wrap-up, and in any state, up to `now_ms`."""
        busy = sum(self._times_ms.get((team, state), 0) for state in _BUSY)
        signed_in = sum(self._times_ms.get((team, state), 0) for state in AgentState)
        for agent in self._agents.values():
            if agent.team == team and agent.state is not None:
                signed_in += now_ms - agent.since_ms
                busy += (now_ms - agent.since_ms) * (agent.state in _BUSY)
        return busy, signed_in

    def team_of(self, agent_id: str) -> str:
        """Return the team of an agent, the last one of those no longer configured."""
        return self._last_teams.get(agent_id, "")

    def teams(self) -> Iterator[str]:
        """Yield the teams of the configuration that have agents, sorted."""
        yield from sorted(dict.fromkeys(self._teams.values()))

    def card(self, day: Day, agent_id: str) -> Card:
        """Find an agent's card of a day, in the team that he belongs to now, or did last."""
        return day.agent(self._last_teams.get(agent_id, ""), agent_id)

    def write_open(self, now_ms: int) -> None:
        """Write the time up to `now_ms` on the cards, of states that go on."""
        for agent in self._agents.values():
            if agent.state is not None and agent.since_ms < now_ms:
                state = agent.state
                self._enter(agent, None, now_ms)
                self._enter(agent, state, now_ms)

    def _write(self, agent: _Agent, state: AgentState, now_ms: int) -> None:
        """Write the time spent in a state on the cards of the days that it touches."""
        from_ms = agent.since_ms
        while from_ms < now_ms:
            day = self.days.at(from_ms)
            to_ms = min(day.to_ms, now_ms)
            card, spent_ms = day.agent(agent.team, agent.agent_id), to_ms - from_ms
            if state is AgentState.HANDLING:
                card.handling_ms += spent_ms
            elif state is AgentState.OFFERED:
                card.offered_ms += spent_ms
            elif state is AgentState.IDLE:
                card.idle_ms += spent_ms
            elif state is AgentState.WRAP_UP:
                card.wrapping_ms += spent_ms
            else:
                card.away_ms += spent_ms
            if self.plan is not None and state is not AgentState.AWAY:
                planned = self.plan.planned(agent.agent_id, from_ms, to_ms)
                card.worked_as_planned_ms += planned.work_ms
                card.worked_in_breaks_ms += planned.away_ms
            from_ms = to_ms

    def _find(self, agent_id: str) -> _Agent:
        agent = self._agents.get(agent_id)
        if agent is None:
            team = self.team_of(agent_id)
            profile = self.staff.profile(team, self._skills.get(agent_id, {}))
            agent = self._agents[agent_id] = _Agent(agent_id, team, profile)
        return agent

    def _state_of(self, agent: _Agent) -> AgentState:
        if agent.handling:
            return AgentState.HANDLING
        if agent.wrapping_up:
            return AgentState.WRAP_UP
        if agent.ringing:
            return AgentState.OFFERED
        return AgentState.IDLE if self._presences.get(agent.presence) else AgentState.AWAY

    def _refresh(self, agent: _Agent, now_ms: int) -> None:
        if agent.state is not None:
            self._enter(agent, self._state_of(agent), now_ms)

    def _enter(self, agent: _Agent, state: AgentState | None, now_ms: int) -> None:
        """Book the time in the old state and begin the new one; None is signed out."""
        if state is agent.state:
            return
        if agent.state is not None:
            key = (agent.team, agent.state)
            self._counts[key] -= 1
            self._times_ms[key] = self._times_ms.get(key, 0) + now_ms - agent.since_ms
            self._write(agent, agent.state, now_ms)
        if state is not None:
            key = (agent.team, state)
            self._counts[key] = self._counts.get(key, 0) + 1
        if AgentState.IDLE in (state, agent.state):
            self.staff.change(agent.profile, 1 if state is AgentState.IDLE else -1)
        agent.state, agent.since_ms = state, now_ms
