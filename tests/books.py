"""Keep the books of a centre naively, from its events and decisions alone.

The books ask the two questions of routing for every pair of contact and agent, O(n^2) after each
event: may this offer be made, was the first one taken, is anybody waiting for whom somebody is
free? `Stage` lets two routers follow the same events; the second may be put through snapshot and
restore at any moment and must decide the same.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Protocol

from router import decisions as d
from router import events as e
from router.center import (
    Agent,
    AgentPolicy,
    Category,
    Center,
    Channel,
    ClockKind,
    ContactPolicy,
    LimitAction,
    Limits,
    OfferRules,
    OverloadClass,
    PromiseAction,
    Queue,
    Step,
    Team,
)
from router.contacts import ContactState
from router.decisions import Reason
from router.events import CenterChanged, DeclineCause, Event, Stamped
from router.records import Assignment, Offer
from router.router import Router
from tests.builders import MINUTE, SECOND, promise
from tests.playbook import START_MS, facts_of

AGENTS = tuple(f"a{n}" for n in range(5))
CONTACTS = tuple(f"c{n}" for n in range(12))
CHANNELS = ("phone", "chat", "email")
CATEGORIES = ("plain", "fault", "own")
Q2_REASONS = {Reason(policy.value) for policy in ContactPolicy}
ANEW = {
    Reason.TRANSFERRED,
    Reason.UPDATED,
    Reason.REOPENED,
    Reason.REDIALLED,
    Reason.CUSTOMER_REPLIED,
    Reason.WAITING_ENDED,
}
# The naive order of these is plain to see; test_policies has the others.
PLAIN = {AgentPolicy.LINEAR, AgentPolicy.MOST_PROFICIENT}


@dataclass
class Contact:
    """What the model knows of a contact."""

    number: int
    arrived_ms: int
    channel: str
    category: str
    priority: int
    skills: dict[str, int]
    state: ContactState = ContactState.WAITING
    queue: str = ""
    step: int = 0
    tried: Counter[str] = field(default_factory=Counter)
    offers: dict[int, str] = field(default_factory=dict)
    agent: str = ""


@dataclass
class Person:
    """What the model knows of an agent."""

    skills: dict[str, int]
    capacity: int
    state: str = "out"
    until_ms: int = 0
    works: dict[str, bool] = field(default_factory=dict)
    offers: dict[int, str] = field(default_factory=dict)
    overfull: bool = False


class Books:
    """Keep the books of a centre from its events and decisions alone."""

    def __init__(self) -> None:
        self.center = Center(
            name="",
            version=0,
            channels={},
            skills=(),
            queues={},
            categories={},
            teams={},
            agents={},
        )
        self.contacts: dict[str, Contact] = {}
        self.people: dict[str, Person] = {}
        self.clocks: dict[tuple[str, str], str] = {}
        self.arrivals = 0
        self.closed = 0
        self.now_ms = START_MS
        self.touched: set[str] = set()
        # which waiting contact is kept for which agent
        self.affinity: dict[str, str] = {}

    # --- what can be known of a pair ----------------------------------------------------

    def needs(self, contact: Contact) -> dict[str, int]:
        category = self.center.categories[contact.category]
        needs = dict(category.needs)
        for skill, level in contact.skills.items():
            needs[skill] = max(level, needs.get(skill, 0))
        for step in category.steps[: contact.step]:
            needs = {
                skill: min(level, step.lower.get(skill, level))
                for skill, level in needs.items()
                if skill not in step.drop
            }
        return needs

    def priority(self, contact: Contact) -> int:
        category = self.center.categories[contact.category]
        own = category.priority if contact.priority < 0 else contact.priority
        return min(9, own + sum(s.raise_priority for s in category.steps[: contact.step]))

    def fits(self, name: str, contact: Contact) -> bool:
        """Say whether an agent has skills, team and room for a contact."""
        person, center = self.people[name], self.center
        if name not in center.agents:
            return False
        teams = list(center.queues[contact.queue].teams)
        if teams:
            for step in center.categories[contact.category].steps[: contact.step]:
                teams.extend(step.add_teams)
            if center.agents[name].team not in teams:
                return False
        if any(person.skills.get(s, 0) < level for s, level in self.needs(contact).items()):
            return False
        channel = center.channels[contact.channel]
        held = [center.channels[self.contacts[c].channel] for c in person.works]
        offered = [center.channels[self.contacts[c].channel] for c in person.offers.values()]
        if channel.interrupts:
            held = [c for c in held if not c.interruptible]
        if sum(c.units for c in held + offered) + channel.units > person.capacity:
            return False
        names = [self.contacts[c].channel for c in (*person.works, *person.offers.values())]
        most = center.agents[name].channel_max.get(contact.channel, channel.agent_max)
        return not most or names.count(contact.channel) < most

    def may(self, name: str, contact: Contact, *, surely: bool) -> bool:
        """Say whether an agent may (`surely`: and must) be offered a contact now."""
        person = self.people[name]
        resting = person.until_ms >= self.now_ms if surely else person.until_ms > self.now_ms
        most = self.center.offers.per_agent_max
        return (
            person.state == "ready"
            and not (person.until_ms and resting)
            and (not most or contact.tried[name] < most)
            and name not in contact.offers.values()
            and self.fits(name, contact)
        )

    def units(self, contact_ids: list[str]) -> int:
        """Return what these contacts cost together."""
        return sum(self.center.channels[self.contacts[c].channel].units for c in contact_ids)

    def rank(self, name: str, contact: Contact) -> tuple[int, int]:
        """Return what an agent's contact policy compares, lowest first."""
        team = self.center.teams[self.center.agents[name].team]
        policy = team.contact_policy or self.center.contact_policy
        if policy is ContactPolicy.PRIORITY_THEN_AGE:
            return -self.priority(contact), contact.number
        points_ms = self.center.ageing_points_ms
        return contact.arrived_ms - self.priority(contact) * points_ms, contact.number

    # --- events ---------------------------------------------------------------------------

    def hear(self, event: Event) -> None:
        """Take an event in that was followed."""
        match event:
            case e.ContactArrived():
                self.arrivals += 1
                category = self.center.categories[event.category]
                self.contacts[event.contact_id] = Contact(
                    self.arrivals,
                    self.now_ms,
                    event.channel,
                    event.category,
                    event.priority,
                    event.skills,
                    queue=event.queue or category.queue,
                )
            case e.ContactUpdated():
                contact = self.contacts[event.contact_id]
                if event.category not in {None, contact.category}:
                    contact.category = str(event.category)
                    contact.queue = self.center.categories[contact.category].queue
                    contact.step = 0
                    contact.tried.clear()
                if event.priority is not None:
                    contact.priority = event.priority
            case e.ContactTransferred():
                contact = self.contacts[event.contact_id]
                contact.category = event.category or contact.category
            case e.OfferDeclined():
                self.close_offer(event.offer_id, event.contact_id, event.agent_id)
                self.contacts[event.contact_id].tried[event.agent_id] += 1
                rules = self.center.offers
                self.rest(
                    event.agent_id,
                    {
                        DeclineCause.DECLINED: rules.backoff_declined_ms,
                        DeclineCause.BUSY: rules.backoff_busy_ms,
                        DeclineCause.UNREACHABLE: rules.backoff_unreachable_ms,
                    }[event.cause],
                )
            case e.OfferConnected():
                self.contacts[event.contact_id].state = ContactState.HANDLING
            case e.CenterChanged():
                self.hear_center(event.center)
            case _:
                self.hear_agent(event)

    def hear_agent(self, event: Event) -> None:
        match event:
            case e.AgentSignedIn() | e.AgentPresenceChanged():
                ready = self.center.presences[event.presence]
                self.people[event.agent_id].state = "ready" if ready else "away"
            case e.AgentSignedOut() | e.AgentLost():
                person = self.people[event.agent_id]
                person.state, person.until_ms = "out", 0
                if isinstance(event, e.AgentLost):
                    person.state = "lost"
            case e.AgentSkillsChanged():
                self.people[event.agent_id].skills = event.skills
            case e.AgentCapacityChanged():
                self.people[event.agent_id].capacity = event.capacity
                self.people[event.agent_id].overfull = True
            case _:
                pass

    def hear_center(self, center: Center) -> None:
        before, self.center = self.center.agents, center
        for name, agent in center.agents.items():
            if name not in self.people:
                self.people[name] = Person(agent.skills, agent.capacity)
            person = self.people[name]
            person.overfull = True
            if before.get(name) != agent:
                person.skills, person.capacity = agent.skills, agent.capacity
        for name, person in self.people.items():
            if name not in center.agents:
                person.state, person.until_ms = "out", 0
        for contact in self.contacts.values():
            steps = center.categories[contact.category].steps
            contact.step = min(contact.step, len(steps))

    def rest(self, name: str, wait_ms: int) -> None:
        person = self.people[name]
        if wait_ms and person.state in {"ready", "away"}:
            person.until_ms = max(person.until_ms, self.now_ms + wait_ms)

    def close_offer(self, number: int, contact_id: str, name: str) -> None:
        assert self.people[name].offers.pop(number) == contact_id
        assert self.contacts[contact_id].offers.pop(number) == name
        self.touched.add(name)

    # --- decisions ------------------------------------------------------------------------

    def take(self, decision: d.Decision) -> None:
        """Take a decision in, and check that it may be taken."""
        rules = self.center.offers
        match decision:
            case d.EnqueueContact() | d.RequeueContact():
                contact = self.contacts[decision.contact_id]
                contact.state, contact.queue = ContactState.WAITING, decision.queue
                assert not contact.offers
                assert not contact.agent
                if isinstance(decision, d.EnqueueContact):
                    contact.step = decision.step
                    if decision.reason in ANEW:
                        contact.tried.clear()
                assert decision.priority == self.priority(contact)
            case d.RelaxContact():
                contact = self.contacts[decision.contact_id]
                assert decision.step == contact.step + 1, "steps only advance, one by one"
                contact.step = decision.step
            case d.OverflowContact():
                self.contacts[decision.contact_id].queue = decision.to_queue
            case d.ScheduleCallback():
                self.contacts[decision.contact_id].state = ContactState.SCHEDULED
            case d.OfferContact():
                self.take_offer(decision)
            case d.WithdrawOffer():
                number, name = decision.offer_id, decision.agent_id
                self.close_offer(number, decision.contact_id, name)
                if decision.reason is Reason.EXPIRED:
                    self.contacts[decision.contact_id].tried[name] += 1
                    self.rest(name, rules.backoff_expired_ms)
            case d.CloseContact():
                contact = self.contacts[decision.contact_id]
                assert contact.state != ContactState.ENDED, "closed once"
                assert not contact.offers
                assert not contact.agent
                contact.state = ContactState.ENDED
                self.closed += 1
            case d.ChangeAgentState():
                self.take_agent_state(decision)
            case _:
                self.take_work(decision)

    def take_offer(self, offer: d.OfferContact) -> None:
        contact, name = self.contacts[offer.contact_id], offer.agent_id
        assert contact.state in {ContactState.WAITING, ContactState.OFFERED}
        assert self.may(name, contact, surely=False), "an offer that may not be made"
        if offer.reason in Q2_REASONS:
            for other_id, other in self.contacts.items():
                if other.state == ContactState.WAITING and self.is_for(other_id, name):
                    ahead = self.rank(name, other) < self.rank(name, contact)
                    assert not (ahead and self.may(name, other, surely=True)), "overtaken"
        policy = self.center.queues[contact.queue].agent_policy
        if policy in PLAIN and offer.reason is Reason(policy.value):
            for other_name in self.people:
                if other_name not in self.touched and self.may(other_name, contact, surely=True):
                    assert self.grade(policy, name, contact) >= self.grade(
                        policy, other_name, contact
                    ), "a better agent was free"
        contact.state = ContactState.OFFERED
        contact.offers[offer.offer_id] = name
        self.people[name].offers[offer.offer_id] = offer.contact_id
        ring = self.center.queues[contact.queue].ring_size
        most = ring if policy.value.startswith("ring") else 1
        assert len(contact.offers) <= most
        self.touched.add(name)

    def is_for(self, contact_id: str, name: str) -> bool:
        """Say whether a waiting contact is not kept for somebody else."""
        return self.affinity.get(contact_id, name) == name

    def grade(self, policy: AgentPolicy, name: str, contact: Contact) -> int:
        if policy is AgentPolicy.LINEAR:
            return -list(self.center.agents).index(name)
        return sum(self.people[name].skills.get(skill, 0) for skill in self.needs(contact))

    def take_work(self, decision: d.Decision) -> None:
        match decision:
            case d.AssignContact():
                contact, name = self.contacts[decision.contact_id], decision.agent_id
                self.close_offer(decision.offer_id, decision.contact_id, name)
                assert not contact.offers, "all other offers were withdrawn"
                assert not contact.agent, "one holder at a time"
                channel = self.center.channels[contact.channel]
                contact.agent = name
                contact.tried.clear()
                contact.state = ContactState.HANDLING
                if channel.connect_timeout_ms:
                    contact.state = ContactState.CONNECTING
                self.people[name].works[decision.contact_id] = False
                assert 0 <= decision.net_wait_ms <= decision.wait_ms
                assert decision.wait_ms == self.now_ms - contact.arrived_ms
            case d.StartWrapUp():
                self.contacts[decision.contact_id].state = ContactState.WRAP_UP
            case d.EndAssignment():
                contact, name = self.contacts[decision.contact_id], decision.agent_id
                assert contact.agent == name
                contact.agent = ""
                del self.people[name].works[decision.contact_id]
                self.touched.add(name)
                if decision.reason is Reason.WAITING_ON_CUSTOMER:
                    contact.state = ContactState.AWAITING_CUSTOMER
                if decision.reason in {Reason.CONNECT_TIMEOUT, Reason.CONNECT_FAILED}:
                    contact.tried[name] += 1
                    self.rest(name, self.center.offers.backoff_unreachable_ms)
            case d.HoldWork() | d.ResumeWork():
                works = self.people[decision.agent_id].works
                hold = isinstance(decision, d.HoldWork)
                assert works[decision.contact_id] is not hold
                works[decision.contact_id] = hold
            case _:
                self.take_clock(decision)

    def take_agent_state(self, decision: d.ChangeAgentState) -> None:
        person = self.people[decision.agent_id]
        self.touched.add(decision.agent_id)
        if decision.reason is Reason.AGENT_LOST:
            person.state, person.until_ms = "lost", 0
        elif decision.reason is Reason.UNANSWERED_OFFERS:
            person.state = "away"
        else:
            ready = self.center.presences.get(decision.presence, False)
            person.state = "ready" if ready else "away"

    def take_clock(self, decision: d.Decision) -> None:
        """Let each clock live: started, paused and resumed, then met xor breached, or canceled."""
        if not isinstance(
            decision,
            (d.StartSla, d.PauseSla, d.ResumeSla, d.BreachSla, d.MeetSla, d.StopSla),
        ):
            return
        key = (decision.contact_id, decision.policy)
        was = self.clocks.get(key, "over")
        allowed, becomes = {
            d.StartSla: ({"over"}, "running"),
            d.PauseSla: ({"running"}, "paused"),
            d.ResumeSla: ({"paused"}, "running"),
            d.BreachSla: ({"running", "paused"}, "breached"),
            d.MeetSla: ({"running", "paused"}, "over"),
            d.StopSla: ({"running", "paused", "breached"}, "over"),
        }[type(decision)]
        assert was in allowed, f"{decision} for a clock that is {was}"
        if isinstance(decision, d.StopSla):
            assert (was == "breached") == (decision.late_ms > 0) or decision.late_ms == 0
        self.clocks[key] = becomes

    # --- after each event -----------------------------------------------------------------

    def close_day(self) -> None:
        """Check conservation and capacity, and that nobody waits for whom somebody is free."""
        ended = sum(c.state == ContactState.ENDED for c in self.contacts.values())
        assert len(self.contacts) >= ended
        for name, person in self.people.items():
            active = [c for c, held in person.works.items() if not held]
            load = self.units(active)
            if self.units([*person.works, *person.offers.values()]) <= person.capacity:
                person.overfull = False
            assert load <= person.capacity or person.overfull, "beyond capacity"
            for contact_id, contact in self.contacts.items():
                if contact.state == ContactState.WAITING and self.is_for(contact_id, name):
                    assert not self.may(name, contact, surely=True), "one waits, one is free"
        for (contact_id, _), phase in self.clocks.items():
            if self.contacts[contact_id].state == ContactState.ENDED:
                assert phase == "over", "a contact that ended has no clock running"


class Pick(Protocol):
    """Draw one of several values."""

    def __call__(self, *choices: Any) -> Any: ...  # noqa: ANN401 - of whatever it is given


def make_channels(pick: Pick) -> dict[str, Channel]:
    """Draw how contacts are offered and what they cost."""
    return {
        "phone": Channel(
            interrupts=pick(True, False),
            auto_accept=pick(False, False, True),
            connect_timeout_ms=pick(0, 5 * SECOND),
        ),
        "chat": Channel(units=34, agent_max=pick(0, 2)),
        "email": Channel(units=50, interruptible=True, offer_timeout_ms=pick(0, MINUTE)),
    }


def make_queues(pick: Pick) -> dict[str, Queue]:
    """Draw two lines, the second for those who waited too long in the first."""
    ring = pick(1, 2, 3)
    return {
        "q": Queue(
            agent_policy=pick(*AgentPolicy),
            ring_size=ring,
            length_max=pick(0, 0, 2),
            when_full=pick(*LimitAction),
            overflow_to="late",
        ),
        "late": Queue(
            agent_policy=pick(*AgentPolicy),
            ring_size=ring,
            wait_max_ms=pick(0, 2 * MINUTE),
            when_late=pick(LimitAction.EXPIRE, LimitAction.DEFLECT),
            teams=pick((), ("t",)),
        ),
    }


def make_categories(pick: Pick) -> dict[str, Category]:
    """Draw a plain category, one with steps, and one that waits for its own agents."""
    return {
        "plain": Category(queue="q", wrap_up_ms=pick(0, -1, 10 * SECOND), survey_every=2),
        "fault": Category(
            queue="q",
            needs={"s": 9},
            overload=pick(*OverloadClass),
            steps=(
                Step(after_ms=10 * SECOND, lower={"s": 5}, raise_priority=2),
                Step(after_ms=20 * SECOND, overflow_to="late", offer_callback=True),
                Step(after_ms=30 * SECOND, drop=("s",), add_teams=("u",)),
                Step(after_ms=90 * SECOND, deflect=True),
            ),
        ),
        "own": Category(
            queue="late",
            needs={"r": 3},
            preferred_wait_ms=pick(0, 30 * SECOND),
            last_agent_wait_ms=pick(0, 15 * SECOND),
        ),
    }


def make_center(pick: Pick, version: int) -> Center:
    """Draw a configuration; names stay the same, everything else may differ."""
    agents = {
        name: Agent(
            team=pick("t", "t", "u"),
            skills={"s": pick(2, 5, 9), **({"r": 5} if pick(True, False) else {})},
            capacity=pick(100, 100, 150, 50),
            channel_max=pick({}, {"chat": 1}),
        )
        for name in AGENTS
        if name == "a0" or version == 1 or pick(True, True, True, False)
    }
    # One can do everything, so that the configuration is accepted.
    agents["a0"] = Agent(team="t", skills={"s": 9, "r": 5})
    return Center(
        name="desk",
        version=version,
        channels=make_channels(pick),
        skills=("s", "r"),
        queues=make_queues(pick),
        categories=make_categories(pick),
        teams={
            "t": Team(),
            "u": Team(contact_policy=pick(None, ContactPolicy.LINEAR_AGEING)),
        },
        agents=agents,
        promises={
            "answer": promise(
                ClockKind.ANSWER,
                20 * SECOND,
                warnings=(50,),
                on_breach=PromiseAction(next_step=pick(True, False)),
            ),
            "solve": promise(ClockKind.RESOLUTION, pick(MINUTE, 2 * MINUTE), warnings=(80,)),
        },
        contact_policy=pick(ContactPolicy.PRIORITY_THEN_AGE, ContactPolicy.LINEAR_AGEING),
        offers=OfferRules(
            per_agent_max=pick(0, 1, 2),
            unanswered_max=pick(0, 1, 2),
            backoff_declined_ms=pick(0, 5 * SECOND),
            heartbeat_timeout_ms=pick(0, 0, MINUTE),
            lost_agent_timeout_ms=MINUTE,
        ),
        limits=Limits(
            open_contacts=10, duplicate_window_ms=10 * MINUTE, contact_life_ms=10 * MINUTE
        ),
    )


def what_counts(router: Router) -> dict[str, Any]:
    """Return a router's facts without what may be forgotten, or looked up, at any event."""
    facts = facts_of(router)
    for name in ("endings", "tombstone_order", "event_order", "profiles", "promises", "next_place"):
        del facts[name]
    opened = [c for c in facts["contacts"] if c[4] != ContactState.ENDED]
    for contact in opened:
        # A clock names its promise by a position in the list left out above.
        contact[7] = [clock[1:] for clock in contact[7]]
    facts["contacts"] = opened
    return facts


class Stage:
    """Drive two routers and the books with the same events."""

    def __init__(self) -> None:
        self.router = Router()
        self.twin = Router()
        self.books = Books()

    def happen(self, event: Event) -> None:
        """Let an event happen now."""
        stamped = Stamped(self.router.seq + 1, self.books.now_ms, event)
        books = self.books
        books.touched = set()
        before, kept = what_counts(self.router), self.kept()
        decisions = self.router.handle(stamped)
        # While the decisions are gone through, whoever is kept before or after is passed over.
        books.affinity = {**kept, **self.kept()}
        assert self.twin.handle(stamped) == decisions, "the restored router decides otherwise"
        if any(isinstance(x, (d.RefuseEvent, d.NoteDuplicate)) for x in decisions):
            assert len(decisions) == 1, "refused, and nothing else"
            assert what_counts(self.router) == before, "refused events change nothing"
            return
        known = getattr(event, "contact_id", "") in books.contacts
        tombstone = isinstance(event, (e.ContactEnded, e.ContactAbandoned)) and not known
        if not tombstone:
            books.hear(event)
        for decision in decisions:
            books.take(decision)
        books.affinity = self.kept()
        books.close_day()
        self.check_kept()
        for contact_id, contact in self.router.floor.contacts.items():
            assert books.contacts[contact_id].state == contact.state, contact_id
        opened = [c for c in books.contacts.values() if c.state != ContactState.ENDED]
        assert len(opened) == self.router.floor.open_contacts

    def kept(self) -> dict[str, str]:
        """Return which waiting contact is kept for which agent."""
        return {
            contact_id: contact.more.affinity.agent_id
            for contact_id, contact in self.router.floor.contacts.items()
            if contact.state == ContactState.WAITING
            and contact.more is not None
            and contact.more.affinity is not None
        }

    def check_kept(self) -> None:
        """Check that nobody is kept for ever, nor for one who is not there."""
        for contact_id, name in self.kept().items():
            more = self.router.floor.contacts[contact_id].more
            assert more is not None
            assert more.affinity_until_ms >= self.books.now_ms
            assert self.books.people[name].state in {"ready", "away"}

    def open(self, pick: Pick) -> None:
        """Configure the centre and let three agents in."""
        self.happen(CenterChanged(make_center(pick, 1)))
        assert self.router.floor.center is not None, "the configuration is accepted"
        for name in AGENTS[:3]:
            self.happen(e.AgentSignedIn(name))

    def open_offers(self) -> list[tuple[int, str, str]]:
        """Return number, contact and agent of every open offer."""
        people = sorted(self.books.people.items())
        return [(n, contact, name) for name, p in people for n, contact in sorted(p.offers.items())]

    def next_work(self) -> list[Event]:
        """Return what the holders of contacts could do next."""
        events: list[Event] = []
        for contact_id, contact in self.books.contacts.items():
            if not contact.agent:
                continue
            work = self.router.floor.contacts[contact_id].work
            assert isinstance(work, Offer | Assignment)
            if contact.state == ContactState.CONNECTING:
                events += [
                    e.OfferConnected(work.offer_id, contact_id, contact.agent),
                    e.OfferConnectFailed(work.offer_id, contact_id, contact.agent),
                ]
            elif contact.state == ContactState.WRAP_UP:
                events.append(e.WrapUpEnded(contact_id, contact.agent))
            else:
                events += [
                    e.ContactEnded(contact_id),
                    e.ContactResolved(contact_id),
                    e.CustomerAwaited(contact_id),
                ]
        return events

    def wait(self, wait_ms: int) -> None:
        """Let time pass, deadline by deadline."""
        until_ms = self.books.now_ms + wait_ms
        while (due_ms := self.router.next_deadline()) is not None and due_ms < until_ms:
            assert due_ms >= self.books.now_ms, "no deadline lies in the past"
            self.books.now_ms = due_ms
            self.happen(e.TimeAdvanced())
        self.books.now_ms = until_ms

    def restore(self) -> None:
        """Put the twin through a snapshot; nobody may notice."""
        body = self.router.snapshot()
        assert self.twin.snapshot() == body
        self.twin = Router.restore(body)
        assert self.twin.snapshot() == body

    def finish(self) -> None:
        """Let everything that time ends come to its end."""
        if not self.books.contacts:
            return
        for _ in range(500):
            if not self.router.floor.open_contacts:
                break
            due_ms = self.router.next_deadline()
            assert due_ms is not None, "an open contact has a deadline"
            self.books.now_ms = max(due_ms, self.books.now_ms)
            self.happen(e.TimeAdvanced())
        assert not self.router.floor.open_contacts, "nobody is forgotten"
