"""Judge who is served next: I12 and I13.

Only what is certain is reported. I12 looks again at a pair of contact and agent when one of the
two has changed, or when a back-off or a wait for one agent has run out; so its cost follows the
change, not the size of the centre. Waiting contacts are kept by class (`Demand`), each class in
the order of priority and age.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from router.center import ClockKind, ContactPolicy, PairWeight, Promise, Signal
from router.decisions import MeetSla, PauseSla, Reason, RebaseSla, ResumeSla, StartSla, StopSla
from simulation.auditor import reading
from simulation.auditor.clock import signals_of
from simulation.auditor.ledger import ContactAccount, Place

if TYPE_CHECKING:
    from router.decisions import Decision, OfferContact
    from simulation.auditor.findings import Findings
    from simulation.auditor.guards import GuardJudge
    from simulation.auditor.ledger import AgentAccount, Ledger
    from simulation.auditor.reading import Demand

Promises = Callable[[ContactAccount], Mapping[ClockKind, tuple[str, Promise]]]
Rank = tuple[int, int, int, str]

# So many contacts of a class are looked at before a class counts as having nobody to be served;
# further ones are only reached when all of these may not be offered to the agent at hand.
LOOKED_AT_MAX: Final = 32

CLOCK_MOVES: Final = (StartSla, PauseSla, ResumeSla, StopSla, MeetSla, RebaseSla)


class FairnessJudge:
    """Know who waits for what, and see that nobody is left waiting or overtaken."""

    def __init__(
        self,
        ledger: Ledger,
        findings: Findings,
        promises: Promises,
        is_shut: Callable[[str], bool],
        guards: GuardJudge,
    ) -> None:
        self.ledger = ledger
        self.is_shut = is_shut
        self.guards = guards
        self.promises = promises
        self.findings = findings
        self.lines: dict[Demand, list[Rank]] = {}
        self.places: dict[str, tuple[Demand, Rank]] = {}
        self.ready: dict[str, None] = {}
        self.recheck: list[tuple[int, str, str]] = []

    # --- the index -----------------------------------------------------------------

    def update(self, contact_id: str) -> None:
        """Put a contact where it waits now, or take it out of the lines."""
        contact = self.ledger.contacts.get(contact_id)
        place = self.places.get(contact_id)
        wanted = None
        waits = contact is not None and contact.place is Place.WAITING
        if contact is not None and waits and not self.is_shut(contact.queue):
            priority = reading.priority_of(self.ledger, contact)
            rank = (-priority, contact.arrived_ms, contact.number, contact_id)
            wanted = (reading.demand_of(self.ledger, contact), rank)
        if wanted == place:
            return
        if place is not None:
            line = self.lines[place[0]]
            del line[bisect_left(line, place[1])]
            if not line:
                del self.lines[place[0]]
            del self.places[contact_id]
        if wanted is not None:
            insort(self.lines.setdefault(wanted[0], []), wanted[1])
            self.places[contact_id] = wanted

    def rebuild(self) -> None:
        """Derive every contact's class anew, after the configuration changed."""
        for contact_id in list(self.places):
            self.update(contact_id)
        self.ledger.dirty_contacts.update(dict.fromkeys(self.places))
        self.ledger.dirty_agents.update(dict.fromkeys(self.ledger.agents))

    # --- may this pair meet? ---------------------------------------------------------

    def _agent_rests(self, agent: AgentAccount) -> bool:
        """Say whether the agent surely or possibly may not be offered anything just now."""
        ledger = self.ledger
        if reading.presence_gap(ledger, agent):
            return True
        until_ms = max(agent.backoff_until_ms, agent.uncertain_until_ms)
        if until_ms >= ledger.now_ms:
            # At its last instant the back-off may be over or not: its timer may still come.
            heappush(self.recheck, (until_ms, "agent", agent.agent_id))
            return True
        return self._perhaps_lost(agent)

    def _perhaps_lost(self, agent: AgentAccount) -> bool:
        assert self.ledger.center is not None
        timeout_ms = self.ledger.center.offers.heartbeat_timeout_ms
        return bool(timeout_ms) and agent.heard_ms + timeout_ms <= self.ledger.now_ms

    def _held_back(self, contact: ContactAccount, agent: AgentAccount) -> bool:
        """Say whether the contact may be waiting for somebody else, or is done with this agent."""
        ledger = self.ledger
        assert ledger.center is not None
        cap = ledger.center.offers.per_agent_max
        tries = max(
            contact.times_offered.get(agent.agent_id, 0),
            contact.times_missed.get(agent.agent_id, 0),
        )
        if cap and tries >= cap:
            return True
        if contact.claimed_agent and contact.claimed_agent != agent.agent_id:
            return True
        until_ms = self.affinity_until_ms(contact)
        if until_ms >= ledger.now_ms and until_ms > 0:
            heappush(self.recheck, (until_ms, "contact", contact.contact_id))
            return True
        return False

    def affinity_until_ms(self, contact: ContactAccount) -> int:
        """Return until when the contact may be waiting for its preferred or last agent, 0 if not.

        The last agent of a customer is not kept here (that would be memory for every customer),
        so every contact with a customer may be waiting for one.
        """
        category = self.ledger.category(contact.category)
        if category is None:
            return 0
        waits = [0]
        preferred = self.ledger.agents.get(contact.preferred_agent)
        if preferred is not None and preferred.signed_in and not contact.preference_over:
            waits.append(category.preferred_wait_ms)
        if contact.customer or contact.served:
            waits.append(category.last_agent_wait_ms)
        longest_ms = max(waits)
        return contact.waiting_since_ms + longest_ms if longest_ms else 0

    # --- I12 -----------------------------------------------------------------------

    def close_entry(self) -> None:
        """Find contacts left waiting beside agents who may serve them."""
        ledger = self.ledger
        while self.recheck and self.recheck[0][0] < ledger.now_ms:
            _, kind, name = heappop(self.recheck)
            dirty = ledger.dirty_agents if kind == "agent" else ledger.dirty_contacts
            dirty[name] = None
        for agent_id in ledger.dirty_agents:
            agent = ledger.agents.get(agent_id)
            if agent is None or self._agent_rests(agent) or agent.capacity <= 0:
                self.ready.pop(agent_id, None)
            else:
                self.ready[agent_id] = None
        seen: set[tuple[str, str]] = set()
        for agent_id in ledger.dirty_agents:
            if agent_id in self.ready and agent_id in ledger.agents:
                self._look_for_contacts(ledger.agents[agent_id], seen)
        for contact_id in ledger.dirty_contacts:
            if contact_id in self.places:
                self._look_for_agents(ledger.contacts[contact_id], seen)

    def _look_for_contacts(self, agent: AgentAccount, seen: set[tuple[str, str]]) -> None:
        for demand, line in self.lines.items():
            if not self._fits(agent, demand):
                continue
            for rank in line[:LOOKED_AT_MAX]:
                contact = self.ledger.contacts[rank[3]]
                if not self._held_back(contact, agent) and not self.guards.may_hold(agent, contact):
                    self._left_waiting(contact, agent, seen)
                    break

    def _look_for_agents(self, contact: ContactAccount, seen: set[tuple[str, str]]) -> None:
        demand = self.places[contact.contact_id][0]
        for agent_id in list(self.ready):
            agent = self.ledger.agents.get(agent_id)
            if agent is None:
                # A new configuration parted with him.
                self.ready.pop(agent_id, None)
                continue
            if self._fits(agent, demand) and not self._held_back(contact, agent):
                if self._agent_rests(agent):
                    self.ready.pop(agent_id, None)
                    continue
                if self.guards.may_hold(agent, contact):
                    continue
                self._left_waiting(contact, agent, seen)
                return

    def _fits(self, agent: AgentAccount, demand: Demand) -> bool:
        return not reading.qualification_gap(agent, demand) and not reading.room_gap(
            self.ledger, agent, demand.channel, by_holding=False
        )

    def _left_waiting(
        self, contact: ContactAccount, agent: AgentAccount, seen: set[tuple[str, str]]
    ) -> None:
        if (contact.contact_id, agent.agent_id) in seen:
            return
        seen.add((contact.contact_id, agent.agent_id))
        text = f"since {contact.waiting_since_ms} in {contact.queue} (step {contact.step})"
        self.findings.report(
            "I12", f"{contact.contact_id} waits {text}, but {agent.agent_id} is free to serve it"
        )

    # --- I13 -----------------------------------------------------------------------

    def judge_offer(self, decision: OfferContact, decisions: tuple[Decision, ...]) -> None:
        """Find a contact that the agent should have been offered first; call before the offer.

        `decisions` are all of the entry: what they speak of may have changed at any time in it.
        """
        ledger = self.ledger
        contact = ledger.contacts.get(decision.contact_id)
        agent = ledger.agents.get(decision.agent_id)
        if contact is None or agent is None or contact.offers or contact.reopened:
            return
        if decision.reason in (Reason.PREFERRED_AGENT, Reason.LAST_AGENT):
            return
        self.guards.judge_offer(decision)
        if self.affinity_until_ms(contact) or contact.claimed_agent:
            return
        for contact_id in ledger.dirty_contacts:
            self.update(contact_id)
        for closed in ledger.closed_now:
            self.update(closed.contact_id)
        policy = self._policy(agent)
        moved: set[str] = set()
        if policy is ContactPolicy.EARLIEST_DEADLINE:
            # What the entry says of a clock may have held before the offer, or only after it.
            moved = {said.contact_id for said in decisions if isinstance(said, CLOCK_MOVES)}
            if contact.contact_id in moved:
                return
        for demand, line in self.lines.items():
            if demand.channel != contact.channel or not self._fits(agent, demand):
                continue
            for rank in line[:LOOKED_AT_MAX]:
                other = ledger.contacts[rank[3]]
                if other is contact or other.reopened or self._held_back(other, agent):
                    continue
                if other.contact_id in moved or self.guards.may_hold_in_between(agent, other):
                    continue
                if self._surely_first(policy, other, contact, agent.team):
                    text = f"{agent.agent_id} is offered {contact.contact_id}"
                    why = f"before {other.contact_id}, which comes first by {policy.value}"
                    self.findings.report("I13", f"{text} {why}")
                    return

    def _policy(self, agent: AgentAccount) -> ContactPolicy:
        assert self.ledger.center is not None
        team = self.ledger.center.teams.get(agent.team)
        if team is not None and team.contact_policy is not None:
            return team.contact_policy
        return self.ledger.center.contact_policy

    def _surely_first(
        self, policy: ContactPolicy, other: ContactAccount, contact: ContactAccount, team: str
    ) -> bool:
        """Say whether every reading of the policy puts `other` before `contact`."""
        ledger = self.ledger
        assert ledger.center is not None
        mine, his = reading.priority_of(ledger, contact), reading.priority_of(ledger, other)
        older = (other.arrived_ms, other.number) < (contact.arrived_ms, contact.number)
        if policy is ContactPolicy.PRIORITY_THEN_AGE:
            return his > mine or (his == mine and older)
        if policy is ContactPolicy.LINEAR_AGEING:
            points_ms = ledger.center.ageing_points_ms
            other_score = other.arrived_ms - his * points_ms
            score = contact.arrived_ms - mine * points_ms
            return other_score < score or (other_score == score and older and his == mine)
        if policy is ContactPolicy.EARLIEST_DEADLINE:
            due_ms, his_due_ms = _earliest_ms(contact), _earliest_ms(other)
            if his_due_ms is None or due_ms is None:
                return due_ms is None and (his_due_ms is not None or older)
            return his_due_ms < due_ms or (his_due_ms == due_ms and older)
        if policy is ContactPolicy.WEIGHTED_PAIRS:
            pairs = ledger.center.teams[team].pairs
            idle = {pairs.get(one.queue, PairWeight()).idle for one in (contact, other)}
            if len(idle) > 1:
                # How long the agent has been idle is not in these books.
                return False
        score = self._score(policy, contact, team)
        his_score = self._score(policy, other, team)
        return his > mine or (his == mine and (his_score > score or (his_score == score and older)))

    def _score(self, policy: ContactPolicy, contact: ContactAccount, team: str) -> int:
        """Return what a policy that weighs gives a contact, in units as fine as a millisecond."""
        ledger = self.ledger
        queue, wait_ms = ledger.queue(contact.queue), ledger.now_ms - contact.arrived_ms
        if queue is None:
            # A broken journal: what it stands in was never configured.
            return 0
        if policy is ContactPolicy.LONGEST_WEIGHTED_WAIT:
            return queue.wait_weight * wait_ms
        if policy is ContactPolicy.GENERALIZED_C_MU:
            target_ms = self._lead_ms(contact) or queue.service_level_ms
            late_ms = max(0, wait_ms - target_ms)
            cost = queue.wait_weight * (wait_ms + queue.late_weight * late_ms)
            return cost * (1 << 40) // (target_ms * queue.handle_time_ms)
        assert ledger.center is not None
        if policy is ContactPolicy.WEIGHTED_PAIRS:
            weight = ledger.center.teams[team].pairs.get(contact.queue, PairWeight())
            return weight.base_ms + weight.wait * wait_ms
        whole = sum(one.queue_share for one in ledger.center.queues.values())
        everybody = sum(ledger.queue_lengths.values())
        length = ledger.queue_lengths.get(contact.queue, 0)
        return length * whole - queue.queue_share * everybody

    def _lead_ms(self, contact: ContactAccount) -> int:
        """Return the shortest time promised to such a contact from its arrival on, 0 if none."""
        leads = []
        for _, promise in self.promises(contact).values():
            starts, *others = signals_of(promise, contact.channel)
            if Signal.ARRIVED in starts and not any(Signal.ARRIVED in some for some in others):
                leads.append(promise.target_ms)
        return min((lead_ms for lead_ms in leads if lead_ms), default=0)


def _earliest_ms(contact: ContactAccount) -> int | None:
    """Return the earliest deadline of the contact's clocks that run, broken ones too."""
    return min(
        (clock.due_ms for clock in contact.clocks.values() if not clock.ended and not clock.paused),
        default=None,
    )
