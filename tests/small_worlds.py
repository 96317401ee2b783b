"""Draw small worlds from a seed: the router under callers and agents as they come.

A world is a centre and a few hundred events, both drawn from one seed. The events follow what the
router decided (offers get answered, callers hang up), with some nonsense in between.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from router import center as c
from router import decisions as d
from router import events as e
from router.journal import Entry
from router.router import Router
from router.sequencer import Sequencer

START_MS = 1_750_000_000_000
SKILLS = ("billing", "tech", "lang:en", "lang:zh")
AGENTS = tuple(f"a{number}" for number in range(1, 7))


def draw_channels(random_: random.Random) -> dict[str, c.Channel]:
    """Draw what contacts cost and how they are offered."""
    draw = random_.choice
    return {
        "phone": c.Channel(
            units=draw((100, 100, 60)),
            offer_timeout_ms=draw((8_000, 20_000)),
            connect_timeout_ms=draw((0, 0, 5_000)),
            interrupts=draw((True, True, False)),
        ),
        "chat": c.Channel(
            units=34,
            agent_max=draw((0, 2)),
            offer_timeout_ms=15_000,
            auto_accept=draw((True, False)),
        ),
        "email": c.Channel(
            units=50, offer_timeout_ms=draw((0, 30_000)), interruptible=draw((True, True, False))
        ),
    }


def draw_queues(random_: random.Random) -> dict[str, c.Queue]:
    """Draw two lines; the first overflows to the second."""
    draw = random_.choice
    policies = list(c.AgentPolicy)
    return {
        "front": c.Queue(
            agent_policy=draw(policies),
            ring_size=draw((1, 2, 3)),
            ring_step_ms=3_000,
            teams=draw(((), ("red",), ("red", "blue"))),
            length_max=draw((0, 0, 4)),
            when_full=draw(tuple(c.LimitAction)),
            wait_max_ms=draw((0, 0, 90_000)),
            when_late=draw((c.LimitAction.DEFLECT, c.LimitAction.OVERFLOW, c.LimitAction.EXPIRE)),
            overflow_to="back",
            wait_weight=3,
            late_weight=9,
            queue_share=2,
        ),
        "back": c.Queue(agent_policy=draw(policies), ring_size=draw((1, 2)), ring_step_ms=4_000),
    }


def draw_hours(random_: random.Random, center: c.Center) -> c.Center:
    """Let both lines, or none, close now and then."""
    if random_.random() < 0.6:
        return center
    edges = [START_MS + 20_000]
    for _ in range(11):
        edges.append(edges[-1] + random_.randint(5_000, 90_000))
    table = c.OpeningTable(
        from_ms=START_MS - 1_000,
        to_ms=edges[-1] + 1_000,
        open_ms=tuple(zip(edges[::2], edges[1::2], strict=True)),
        workdays_ms=((edges[0], edges[-1]),),
    )
    day = c.Calendar(zone="UTC", hours={"daily": ("09:00-17:00",)}, years=(2026,), table=table)
    closing = {
        name: replace(
            queue,
            calendar="day",
            when_closed=random_.choice(
                (c.WhenClosed.WAIT, c.WhenClosed.WAIT, c.WhenClosed.REFUSE, c.WhenClosed.CALLBACK)
            ),
            at_closing=random_.choice((c.AtClosing.KEEP, c.AtClosing.EXPIRE, c.AtClosing.SERVE)),
            wait_clock=random_.choice(tuple(c.WaitClock)),
        )
        for name, queue in center.queues.items()
    }
    return replace(center, queues=closing, calendars={"day": day})


def draw_categories(random_: random.Random) -> dict[str, c.Category]:
    """Draw two categories, one with routing steps."""
    draw = random_.choice
    steps = draw(
        (
            (),
            (
                c.Step(after_ms=10_000, lower={"billing": 1}),
                c.Step(after_ms=25_000, drop=("billing",), add_teams=("blue",), raise_priority=2),
                c.Step(after_ms=60_000, overflow_to="back"),
            ),
            (
                c.Step(after_ms=15_000, raise_priority=1),
                c.Step(after_ms=40_000, offer_callback=True),
            ),
        )
    )
    return {
        "invoice": c.Category(
            queue="front",
            needs={"billing": draw((2, 4))},
            language_level=draw((0, 3)),
            wrap_up_ms=draw((0, 10_000, -1)),
            steps=steps,
            preferred_wait_ms=draw((0, 12_000)),
            last_agent_wait_ms=draw((0, 0, 8_000)),
            survey_every=draw((0, 3)),
        ),
        "fault": c.Category(
            queue="back",
            needs={"tech": 2},
            priority=draw((5, 6)),
            offer_timeout_ms=draw((-1, 6_000)),
            wrap_up_ms=draw((0, 5_000)),
        ),
    }


def draw_center(random_: random.Random, version: int = 1) -> c.Center:
    """Draw a centre: every feature that the auditor judges is there in some of them."""
    draw = random_.choice
    channels = draw_channels(random_)
    queues = draw_queues(random_)
    categories = draw_categories(random_)
    center = c.Center(
        name="small",
        version=version,
        channels=channels,
        skills=SKILLS,
        queues=queues,
        categories=categories,
        teams={
            "red": c.Team(contact_policy=draw((None, *c.ContactPolicy))),
            "blue": c.Team(),
        },
        agents={
            name: c.Agent(
                team="red" if number % 3 else "blue",
                skills={
                    skill: random_.randint(1, 9)
                    for skill in SKILLS
                    if random_.random() < 0.75 or number < 2
                },
                capacity=draw((100, 100, 150)),
                channel_max=draw(({}, {}, {"chat": 1})),
            )
            for number, name in enumerate(AGENTS)
        },
        promises=draw_promises(random_),
        tiers=("gold",),
        contact_policy=draw(tuple(c.ContactPolicy)),
        ageing_points_ms=20_000,
        unknown_skill_queue=draw(("", "back")),
        offers=c.OfferRules(
            backoff_declined_ms=draw((0, 5_000)),
            backoff_expired_ms=draw((4_000, 10_000)),
            per_agent_max=draw((0, 1, 2)),
            unanswered_max=draw((0, 2, 3)),
            heartbeat_timeout_ms=draw((0, 0, 60_000)),
            lost_agent_timeout_ms=30_000,
        ),
        limits=c.Limits(
            open_contacts=draw((1_000, 15)),
            duplicate_window_ms=draw((60_000, 3_600_000)),
            contact_life_ms=draw((7_200_000, 600_000)),
        ),
    )
    return draw_hours(random_, center)


def draw_promises(random_: random.Random) -> dict[str, c.Promise]:
    """Draw promises of every kind."""
    draw = random_.choice
    raising = c.PromiseAction(raise_priority=1, escalate=True)
    stepping = c.PromiseAction(next_step=True)
    return {
        "answer-gold": c.Promise(
            kind=c.ClockKind.ANSWER,
            target_ms=10_000,
            tiers=("gold",),
            warnings=(50, 80),
            on_breach=raising,
            escalation=("agent", "lead", "manager"),
            escalate_every_ms=15_000,
        ),
        "answer": c.Promise(
            kind=c.ClockKind.ANSWER,
            target_ms=20_000,
            warnings=draw(((), (75,))),
            on_warning=draw((c.PromiseAction(), stepping)),
        ),
        "first": c.Promise(kind=c.ClockKind.FIRST_RESPONSE, target_ms=45_000, warnings=(50,)),
        "next": c.Promise(kind=c.ClockKind.NEXT_RESPONSE, target_ms=30_000),
        "resolution": c.Promise(
            kind=c.ClockKind.RESOLUTION,
            target_ms=draw((90_000, 240_000)),
            warnings=(80,),
            on_breach=draw((raising, c.PromiseAction())),
            escalation=("lead",),
            reopen=draw((c.ReopenMode.RESUME, *c.ReopenMode)),
        ),
        "update": c.Promise(
            kind=c.ClockKind.PERIODIC_UPDATE, target_ms=60_000, reopen=c.ReopenMode.RESUME
        ),
        "complaint": c.Promise(
            kind=c.ClockKind.COMPLAINT_ACKNOWLEDGEMENT,
            target_ms=40_000,
            on_breach=c.PromiseAction(escalate=True),
            escalation=("lead", "manager", "director"),
            escalate_every_ms=5_000,
        ),
        "told": c.Promise(kind=c.ClockKind.COMPLAINT_UPDATE, target_ms=50_000),
        "answered": c.Promise(
            kind=c.ClockKind.COMPLAINT_ANSWER, target_ms=80_000, reopen=c.ReopenMode.RESUME
        ),
    }


@dataclass
class World:
    """Speak to one router as callers and agents would, and remember what it decided."""

    random_: random.Random
    center: c.Center
    sequencer: Sequencer = field(default_factory=lambda: Sequencer(Router()))
    now_ms: int = START_MS
    entries: list[Entry] = field(default_factory=list)
    offers: dict[int, d.OfferContact] = field(default_factory=dict)
    work: dict[str, d.AssignContact] = field(default_factory=dict)
    contacts: list[str] = field(default_factory=list)
    awaited: list[str] = field(default_factory=list)

    def say(self, event: e.Event) -> None:
        """Let an event happen now."""
        for entry in self.sequencer.accept(event, self.now_ms):
            self.note(entry)

    def note(self, entry: Entry) -> None:
        """Keep an entry and what an agent's desktop would know from it."""
        self.entries.append(entry)
        for decision in entry.decisions:
            match decision:
                case d.OfferContact():
                    self.offers[decision.offer_id] = decision
                case d.AssignContact():
                    self.offers.pop(decision.offer_id, None)
                    self.work[decision.contact_id] = decision
                case d.WithdrawOffer():
                    self.offers.pop(decision.offer_id, None)
                case d.EndAssignment():
                    self.work.pop(decision.contact_id, None)
                    if decision.reason is d.Reason.WAITING_ON_CUSTOMER:
                        self.awaited.append(decision.contact_id)
                case _:
                    pass

    def arrive(self) -> None:
        """Let a contact arrive, rarely one that has been here."""
        draw = self.random_.choice
        number = len(self.contacts)
        name = draw(self.contacts) if number and self.random_.random() < 0.02 else f"c{number}"
        if name == f"c{number}":
            self.contacts.append(name)
        self.say(
            e.ContactArrived(
                contact_id=name,
                channel=draw(("phone", "chat", "email")),
                category=draw(("invoice", "invoice", "fault")),
                priority=draw((-1, -1, -1, 3, 8)),
                customer=draw(("", "u1", "u2")),
                tier=draw(("", "gold")),
                language=draw(("", "en", "zh")),
                preferred_agent=draw(("", "", *AGENTS)),
                skills=draw(({}, {}, {}, {"tech": 3}, {"juggling": 1})),
            )
        )

    def answer_offer(self) -> None:
        """Let an agent answer one of the open offers (or one that is long over)."""
        random_ = self.random_
        if not self.offers:
            return
        offer = random_.choice(list(self.offers.values()))
        ids = (offer.offer_id, offer.contact_id, offer.agent_id)
        if random_.random() < 0.95:
            del self.offers[offer.offer_id]
        if random_.random() < 0.03:
            ids = (max(1, offer.offer_id - 3), offer.contact_id, offer.agent_id)
        if random_.random() < 0.75:
            self.say(e.OfferAccepted(*ids))
        else:
            self.say(e.OfferDeclined(*ids, random_.choice(tuple(e.DeclineCause))))

    def work_on(self) -> None:
        """Let something happen in one of the assignments."""
        if not self.work:
            return
        random_ = self.random_
        held = random_.choice(list(self.work.values()))
        contact_id, ids = held.contact_id, (held.offer_id, held.contact_id, held.agent_id)
        events: list[e.Event] = [
            e.OfferConnected(*ids),
            e.OfferConnected(*ids),
            e.OfferConnectFailed(*ids),
            e.AgentReplied(contact_id),
            e.AgentReplied(contact_id, automatic=True),
            e.CustomerAwaited(contact_id),
            e.ContactEnded(contact_id),
            e.ContactEnded(contact_id),
            e.ContactResolved(contact_id),
            e.ContactHeld(contact_id),
            e.WrapUpEnded(contact_id, held.agent_id),
            e.WrapUpEnded(contact_id, held.agent_id),
            e.ContactTransferred(contact_id, queue="back"),
            e.ContactTransferred(contact_id, category="fault"),
            e.ContactTransferred(contact_id, agent_id=random_.choice(AGENTS)),
        ]
        self.say(random_.choice(events))

    def touch_contact(self) -> None:
        """Let something happen to any contact."""
        if not self.contacts:
            return
        random_ = self.random_
        contact_id = random_.choice(self.contacts[-30:])
        if self.awaited and random_.random() < 0.4:
            contact_id = self.awaited.pop()
            self.say(random_.choice((e.CustomerReplied, e.CustomerWaitEnded))(contact_id))
            return
        events: list[e.Event] = [
            e.ContactAbandoned(contact_id),
            e.ContactEnded(contact_id),
            e.CustomerReplied(contact_id),
            e.CustomerReplied(contact_id),
            e.CustomerWaitEnded(contact_id),
            e.ContactUpdated(contact_id, priority=random_.randint(0, 9)),
            e.ContactUpdated(contact_id, tier=random_.choice(("", "gold"))),
            e.ContactUpdated(contact_id, category=random_.choice(("fault", "invoice"))),
            e.ContactUpdated(contact_id, skills={"tech": 1}),
            e.ContactReopened(contact_id),
            e.ContactRedialled(contact_id),
            e.CallbackRequested(contact_id),
            e.CallbackRequested(contact_id, due_at_ms=self.now_ms + 20_000),
            e.ContactMerged(contact_id, random_.choice(self.contacts)),
            e.ComplaintRaised(contact_id),
            e.SurveyAnswered(contact_id, 2),
            e.ContactAbandoned(f"c{len(self.contacts)}"),
        ]
        self.say(random_.choice(events))

    def touch_agent(self) -> None:
        """Let something happen to an agent."""
        random_ = self.random_
        agent_id = random_.choice(AGENTS)
        session = random_.choice((0, 1, 2, 3))
        events: list[e.Event] = [
            e.AgentSignedIn(agent_id, session),
            e.AgentSignedIn(agent_id, session + 1),
            e.AgentSignedIn(agent_id, session + 2),
            e.AgentSignedOut(agent_id, session),
            e.AgentPresenceChanged(agent_id, "break"),
            e.AgentPresenceChanged(agent_id, "available"),
            e.AgentPresenceChanged(agent_id, "available"),
            e.AgentPresenceChanged(agent_id, "available", session),
            e.AgentSkillsChanged(agent_id, {"billing": random_.randint(1, 9), "tech": 5}),
            e.AgentCapacityChanged(agent_id, random_.choice((0, 50, 100, 150))),
            e.AgentHeartbeat(agent_id),
            e.AgentLost(agent_id),
        ]
        self.say(random_.choice(events))

    def change_center(self) -> None:
        """Put another version of the configuration in force."""
        version = self.center.version + self.random_.choice((0, 1, 1))
        self.center = draw_center(self.random_, version)
        self.say(e.CenterChanged(self.center, rebase=self.random_.random() < 0.5))

    def run(self, steps: int) -> list[Entry]:
        """Let `steps` things happen; return the journal."""
        random_ = self.random_
        self.say(e.CenterChanged(self.center))
        for agent_id in AGENTS:
            self.say(e.AgentSignedIn(agent_id, 1))
        acts = (
            (self.arrive, random_.choice((10, 25))),
            (self.answer_offer, 40),
            (self.work_on, 15),
            (self.touch_contact, random_.choice((3, 12))),
            (self.touch_agent, random_.choice((1, 6))),
            (self.change_center, random_.choice((0, 0, 1))),
        )
        gap_ms = random_.choice((400, 2_500))
        for _ in range(steps):
            if random_.random() < 0.85:
                self.now_ms += int(random_.expovariate(1 / gap_ms))
            elif (due_ms := self.sequencer.router.next_deadline()) is not None:
                self.now_ms = max(self.now_ms, due_ms)
            random_.choices([a for a, _ in acts], [w for _, w in acts])[0]()
            if random_.random() < 0.02:
                for entry in self.sequencer.advance(self.now_ms + 1):
                    self.note(entry)
        for entry in self.sequencer.advance(self.now_ms + 120_000):
            self.note(entry)
        return self.entries


def journal_of(seed: int, steps: int = 300) -> list[Entry]:
    """Return the journal of the world that a seed draws."""
    random_ = random.Random(seed)
    return World(random_, draw_center(random_)).run(steps)
