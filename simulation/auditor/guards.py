"""Judge the guards: I39. Nobody is given away who is kept, and nobody is kept without need.

The books know who is surely idle and who may be (a back-off may be over at its last instant or
not); a guard is said to hold, or not to, only where both counts agree.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from router.decisions import AssignContact, CloseContact, Exit
from simulation.auditor import reading
from simulation.auditor.ledger import Place

if TYPE_CHECKING:
    from router.center import PairWeight
    from router.decisions import OfferContact
    from simulation.auditor.findings import Findings
    from simulation.auditor.ledger import AgentAccount, ContactAccount, Ledger


@dataclass(slots=True)
class OwnLevel:
    """What a team's own contacts of late say; `shut`: it helps nobody else."""

    own: frozenset[str]
    answers: deque[tuple[int, bool]] = field(default_factory=deque)
    shut: bool = False
    new: bool = False


class GuardJudge:
    """Keep books on reserves and on what teams owe their own queues."""

    def __init__(self, ledger: Ledger, findings: Findings) -> None:
        self.ledger = ledger
        self.findings = findings
        self.shut: dict[str, bool | None] = {}
        self.levels: dict[str, OwnLevel] = {}
        # contacts whose offers were taken back in this entry: they rang to the last
        self.withdrawn: set[str] = set()

    # --- reserves --------------------------------------------------------------------

    def _reserves(self) -> list[tuple[str, int, int]]:
        """Return (queue, size, band) of every reserve."""
        center = self.ledger.center
        queues = center.queues.items() if center else ()
        return [(name, q.reserve, q.reserve_band) for name, q in queues if q.reserve]

    def _able(self, agent: AgentAccount, queue: str) -> bool:
        """Say whether an agent could serve a category of the queue as it arrives."""
        center = self.ledger.center
        assert center is not None, "guards are judged under a configuration"
        teams = center.queues[queue].teams
        if teams and agent.team not in teams:
            return False
        return any(
            all(agent.skills.get(skill, 0) >= level for skill, level in category.needs.items())
            for category in center.categories.values()
            if category.queue == queue
        )

    def _idle(self, agent: AgentAccount) -> tuple[bool, bool]:
        """Say whether an agent is surely idle, and whether he may be."""
        ledger = self.ledger
        may = not (agent.work or agent.offers or reading.presence_gap(ledger, agent))
        assert ledger.center is not None, "guards are judged under a configuration"
        timeout_ms = ledger.center.offers.heartbeat_timeout_ms
        lost = bool(timeout_ms) and agent.heard_ms + timeout_ms <= ledger.now_ms
        rests = max(agent.backoff_until_ms, agent.uncertain_until_ms) >= ledger.now_ms
        roomy = any(c.units <= agent.capacity for c in ledger.center.channels.values())
        return may and roomy and not rests and not lost, may and roomy

    def _counts(self, queue: str) -> tuple[int, int]:
        """Return how many who could serve a queue are surely idle, and how many may be."""
        able = [a for a in self.ledger.agents.values() if self._able(a, queue)]
        idle = [self._idle(agent) for agent in able]
        return sum(sure for sure, _ in idle), sum(may for _, may in idle)

    def _touched(self, queue: str) -> bool:
        """Say whether the entry concerned anybody who could serve the queue."""
        agents = self.ledger.agents
        return any(
            name in agents and self._able(agents[name], queue) for name in self.ledger.dirty_agents
        )

    def _judge_reserves(self) -> None:
        for queue, size, band in self._reserves():
            sure, may = self._counts(queue)
            was = self.shut.get(queue, False)
            if may <= size:
                self.shut[queue] = True
            elif sure > size + band or (sure > size and was is False):
                self.shut[queue] = False
            elif sure == may and was and not self._touched(queue):
                self.shut[queue] = True
            else:
                # It may have opened while more were idle in the midst of the entry.
                self.shut[queue] = None

    # --- what teams owe their own ------------------------------------------------------

    def note(self, decision: AssignContact | CloseContact) -> None:
        """Count an answer or a loss; call before the decision is carried out."""
        ledger = self.ledger
        contact, center = ledger.contacts.get(decision.contact_id), ledger.center
        queue = ledger.queue(contact.queue) if contact else None
        if contact is None or center is None or queue is None:
            return
        if isinstance(decision, AssignContact):
            in_time = decision.net_wait_ms <= queue.service_level_ms
        else:
            lost = decision.exit in (Exit.ABANDONED, Exit.EXPIRED)
            ringing = contact.contact_id in self.withdrawn
            if not lost or not (ringing or contact.place in (Place.WAITING, Place.OFFERED)):
                return
            wait_ms = contact.line_ms
            if contact.line_since_ms >= 0:
                wait_ms += ledger.now_ms - contact.line_since_ms
            if decision.exit is Exit.ABANDONED and wait_ms <= queue.short_abandon_ms:
                return
            in_time = False
        for name, team in center.teams.items():
            if team.lend_percent and contact.queue in team.own_queues:
                level = self.levels.setdefault(name, OwnLevel(frozenset(team.own_queues)))
                level.answers.append((ledger.now_ms, in_time))
                level.new = True

    def _would_be_shut(self, name: str) -> bool:
        """Judge a team's answers within the window as they stand now."""
        center, level = self.ledger.center, self.levels.get(name)
        team = center.teams.get(name) if center else None
        if team is None or level is None or not team.lend_percent:
            return False
        after_ms = self.ledger.now_ms - team.lend_window_ms
        recent = [in_time for at_ms, in_time in level.answers if at_ms > after_ms]
        least = min(100, team.lend_percent + (team.lend_band if level.shut else 0))
        return sum(recent) * 100 < least * len(recent)

    def _judge_levels(self) -> None:
        center = self.ledger.center
        for name, level in self.levels.items():
            team = center.teams.get(name) if center else None
            if team is None:
                continue
            if level.new or level.shut:
                level.shut = self._would_be_shut(name)
                level.new = False
                # Only what a judgement has looked at is forgotten.
                after_ms = self.ledger.now_ms - team.lend_window_ms
                while level.answers and level.answers[0][0] <= after_ms:
                    level.answers.popleft()

    def change_center(self) -> None:
        """Follow a new configuration: a team with the same own queues keeps what it owes them."""
        center = self.ledger.center
        kept = {}
        for name, level in self.levels.items():
            team = center.teams.get(name) if center else None
            if team is not None and team.lend_percent and set(team.own_queues) == level.own:
                kept[name] = level
                level.new = True
        self.levels = kept
        self.shut = dict.fromkeys(self.shut)

    # --- the two questions ---------------------------------------------------------------

    def close_entry(self) -> None:
        """Let the guards follow what the entry has changed."""
        self.withdrawn.clear()
        if self.ledger.center is not None:
            self._judge_reserves()
            self._judge_levels()

    def may_hold(self, agent: AgentAccount, contact: ContactAccount) -> bool:
        """Say whether a guard may be keeping the agent from the contact, when all is still."""
        for queue, size, band in self._reserves():
            kept = queue != contact.queue and self._idle(agent)[1] and self._able(agent, queue)
            # Within the band it depends on what was before, which is not always sure.
            if kept and self._counts(queue)[0] <= size + band:
                return True
        if self._lends_not(agent, contact.queue, surely=False):
            return True
        weight = self._weight(agent, contact)
        return weight is not None and weight.base_ms + weight.wait * self._wait_ms(contact) < 0

    def may_hold_in_between(self, agent: AgentAccount, contact: ContactAccount) -> bool:
        """Say the same in the midst of an entry, when others may not be counted idle yet."""
        kept = any(q != contact.queue and self._able(agent, q) for q, _, _ in self._reserves())
        return kept or self.may_hold(agent, contact)

    def judge_offer(self, decision: OfferContact) -> None:
        """Find an agent given away whom a guard keeps beyond doubt; call before the offer."""
        contact = self.ledger.contacts.get(decision.contact_id)
        agent = self.ledger.agents.get(decision.agent_id)
        if contact is None or agent is None:
            return
        text = f"{agent.agent_id} is offered {contact.contact_id} of {contact.queue}"
        for queue, size, band in self._reserves():
            if queue == contact.queue or not self._able(agent, queue) or not self._idle(agent)[0]:
                continue
            needed = size + band if self.shut.get(queue, False) is True else size
            idle = self._counts(queue)[1]
            if idle <= needed:
                why = f"but is kept for {queue}: {idle} of {needed} idle"
                self.findings.report("I39", f"{text}, {why}")
        if self._lends_not(agent, contact.queue, surely=True):
            self.findings.report("I39", f"{text}, but team {agent.team} lends nobody now")
        weight = self._weight(agent, contact)
        if weight is not None and not weight.idle:
            score = weight.base_ms + weight.wait * self._wait_ms(contact)
            if score < 0:
                self.findings.report("I39", f"{text}, but the weight of the pair is {score}")

    def _lends_not(self, agent: AgentAccount, queue: str, *, surely: bool) -> bool:
        center = self.ledger.center
        team = center.teams.get(agent.team) if center else None
        level = self.levels.get(agent.team)
        if team is None or level is None or not team.lend_percent or queue in team.own_queues:
            return False
        would_be = self._would_be_shut(agent.team)
        return level.shut and would_be if surely else level.shut or would_be

    def _weight(self, agent: AgentAccount, contact: ContactAccount) -> PairWeight | None:
        center = self.ledger.center
        team = center.teams.get(agent.team) if center else None
        weight = team.pairs.get(contact.queue) if team else None
        return weight if weight is not None and weight.base_ms < 0 else None

    def _wait_ms(self, contact: ContactAccount) -> int:
        return self.ledger.now_ms - contact.arrived_ms
