"""Measure a journal naively: every contact's story on its own, every agent at every instant.

Nothing is folded: stories are cut out of the whole journal and walked one by one, agents are
looked at after each entry, repeats are searched for among all who came. Slow, and without a line
in common with `router.measures`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from router import decisions as d
from router import events as e
from router.center import Center
from router.journal import Entry

Numbers: TypeAlias = Counter[str]
WINDOW_MS = 7 * 24 * 3_600_000


@dataclass
class Moment:
    """One thing said about a contact: an event that was followed, or a decision."""

    index: int
    at_ms: int
    said: object
    center: Center


@dataclass
class Story:
    """All that was said about one contact, from its arrival on."""

    arrival: e.ContactArrived
    moments: list[Moment] = field(default_factory=list)
    opened: bool = False


@dataclass
class Books:
    """The numbers by queue and by agent."""

    queues: dict[str, Numbers] = field(default_factory=lambda: defaultdict(Counter))
    agents: dict[str, Numbers] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, queue: str, agent: str, name: str, number: int = 1) -> None:
        self.queues[queue][name] += number
        if agent:
            self.agents[agent][name] += number


def followed(entry: Entry) -> bool:
    return not any(isinstance(x, d.RefuseEvent | d.NoteDuplicate) for x in entry.decisions)


def stories_of(entries: Iterable[Entry]) -> list[Story]:
    """Cut a journal into stories."""
    told: list[Story] = []
    by_id: dict[str, Story] = {}
    center: Center | None = None
    for index, entry in enumerate(entries):
        event, at_ms = entry.stamped.event, entry.stamped.at_ms
        if isinstance(event, e.CenterChanged) and followed(entry):
            center = event.center
        if center is None:
            continue
        if isinstance(event, e.ContactArrived) and followed(entry):
            by_id[event.contact_id] = Story(event)
            told.append(by_id[event.contact_id])
        for order in entry.decisions:
            if isinstance(order, d.OpenContact):
                # The router opens it, the customer does not come.
                told_as = (order.contact_id, order.channel, order.category)
                by_id[order.contact_id] = Story(e.ContactArrived(*told_as), opened=True)
                told.append(by_id[order.contact_id])
        said: list[object] = [event] if followed(entry) else []
        for item in (*said, *entry.decisions):
            story = by_id.get(getattr(item, "contact_id", ""))
            if story is not None:
                story.moments.append(Moment(index, at_ms, item, center))
    return told


class Walk:
    """Walk one story and write down what it says."""

    def __init__(self, story: Story, books: Books, rings: dict[tuple[str, str], int]) -> None:
        self.story, self.books, self.rings = story, books, rings
        center = story.moments[0].center
        category = center.categories.get(story.arrival.category)
        self.category = story.arrival.category
        self.queue = story.arrival.queue or (category.queue if category else "")
        self.agent = ""
        self.waiting = self.visited = self.replied = self.resolved = self.closed = False
        self.since_ms = self.visit_ms = story.moments[0].at_ms
        self.doing = ""
        self.doing_since_ms = 0
        self.spent: Numbers = Counter()
        self.homes: dict[tuple[str, int], str] = {}
        self.overdue: set[tuple[str, int]] = set()
        # (index, ms) of each coming; (index, ms, queue, agent, category) of each handled end
        self.came = [(story.moments[0].index, story.moments[0].at_ms, self.category)]
        self.ends: list[tuple[int, int, str, str, str]] = []

    def all(self) -> None:
        for moment in self.story.moments:
            self.step(moment)

    def add(self, name: str, number: int = 1) -> None:
        self.books.add(self.queue, self.agent, name, number)

    def change(self, doing: str, at_ms: int) -> None:
        self.spent[self.doing] += at_ms - self.doing_since_ms
        self.doing, self.doing_since_ms = doing, at_ms

    def leave(self, how: str, moment: Moment) -> None:
        if not self.waiting:
            return
        self.waiting = False
        wait_ms = moment.at_ms - self.since_ms
        plan = moment.center.queues.get(self.queue)
        service_ms = plan.service_level_ms if plan else 20_000
        short_ms = plan.short_abandon_ms if plan else 5_000
        if how == "abandoned" and wait_ms < short_ms:
            how = "short_abandoned"
        agent, self.agent = self.agent, self.agent if how == "answered" else ""
        self.add(how)
        if how == "answered":
            self.add("answered_wait_ms", wait_ms)
            self.add("answered_in_time", wait_ms <= service_ms)
        self.agent = agent

    def enqueue(self, queue: str, moment: Moment) -> None:
        if self.closed:
            self.closed = False
            self.came.append((moment.index, moment.at_ms, self.category))
        if self.waiting:
            if queue == self.queue:
                return
            self.leave("overflowed", moment)
        else:
            self.since_ms = moment.at_ms
        self.queue, self.agent, self.visit_ms = queue, "", moment.at_ms
        self.waiting = self.visited = True
        self.add("arrivals")

    def finish(self, at_ms: int) -> None:
        if self.doing:
            self.change("", at_ms)
            self.add("handled")
            for name in ("talk", "hold", "wrap_up"):
                self.add(f"{name}_ms", self.spent[name])
            self.spent.clear()

    def step(self, moment: Moment) -> None:
        said, at_ms = moment.said, moment.at_ms
        match said:
            case e.ContactTransferred() | e.ContactUpdated():
                if not self.closed:
                    if isinstance(said, e.ContactTransferred):
                        self.add("transferred")
                    self.category = said.category or self.category
            case e.ContactResolved():
                self.add("resolved", not self.resolved)
                self.resolved = True
            case e.ComplaintRaised():
                self.add("complaints")
            case e.ContactReopened():
                self.add("reopened")
            case e.ContactRedialled():
                self.add("redialled")
            case e.NoteAdded():
                self.add("notes")
            case e.SurveyAnswered():
                self.add("survey_answers")
                self.add("score_sum", said.score)
                self.add("top_answers", said.score in {4, 5})
            case e.AgentReplied():
                if not (said.automatic or self.replied or self.closed):
                    self.replied = True
                    self.add("first_replies")
                    self.add("first_reply_ms", at_ms - self.story.moments[0].at_ms)
            case e.OfferConnected():
                self.leave("answered", moment)
                self.change("talk", at_ms)
            case e.ContactHeld() if self.doing == "talk":
                self.change("hold", at_ms)
            case e.ContactResumed() if self.doing == "hold":
                self.change("talk", at_ms)
            case e.OfferDeclined():
                self.books.add(self.queue, said.agent_id, "offers_declined")
            case _:
                self.order(said, moment)

    def order(self, said: object, moment: Moment) -> None:
        at_ms = moment.at_ms
        match said:
            case d.EnqueueContact() | d.RequeueContact():
                self.enqueue(said.queue, moment)
            case d.OverflowContact():
                self.enqueue(said.from_queue, moment)
                self.enqueue(said.to_queue, moment)
            case d.OfferContact():
                self.books.add(self.queue, said.agent_id, "offers")
                self.rings[said.contact_id, said.agent_id] = at_ms
            case d.WithdrawOffer():
                name = "expired" if said.reason is d.Reason.EXPIRED else "withdrawn"
                self.books.add(self.queue, said.agent_id, f"offers_{name}")
            case d.AssignContact():
                self.agent = said.agent_id
                self.add("assignments")
                self.add("accept_ms", at_ms - self.rings[said.contact_id, said.agent_id])
                self.add("gross_wait_ms", said.wait_ms)
                self.add("net_wait_ms", said.net_wait_ms)
                channel = moment.center.channels.get(self.story.arrival.channel)
                if channel is None or not channel.connect_timeout_ms:
                    self.leave("answered", moment)
                    self.change("talk", at_ms)
            case d.StartWrapUp():
                self.change("wrap_up", at_ms)
            case d.HoldWork():
                self.change("aside", at_ms)
            case d.ResumeWork() if self.doing == "aside":
                self.change("talk", at_ms)
            case d.EndAssignment():
                failures = {"no_answer", "busy", "voicemail", "unreachable"}
                self.add("callbacks_failed", said.reason.value in failures)
                self.finish(at_ms)
            case d.LinkContact():
                self.add(said.reason.value)
            case d.DeflectContact():
                self.leave("deflected", moment)
            case d.ScheduleCallback():
                self.leave("callback", moment)
            case d.RequestSurvey():
                self.add("surveys")
            case d.RequestFollowUp():
                self.add("follow_ups")
            case d.CloseContact():
                self.close(said, moment)
            case _:
                self.promise(said)

    def close(self, said: d.CloseContact, moment: Moment) -> None:
        if not self.visited:
            self.enqueue(self.queue, moment)
        self.finish(moment.at_ms)
        how = said.exit.value
        self.leave({"handled": "deflected", "merged": "deflected"}.get(how, how), moment)
        if said.exit is d.Exit.HANDLED and self.story.arrival.customer:
            self.ends.append((moment.index, moment.at_ms, self.queue, self.agent, self.category))
        self.books.add(self.queue, "", "self_served", said.reason is d.Reason.SELF_SERVED)
        self.closed = True

    def promise(self, said: object) -> None:
        kinds = d.StartSla | d.MeetSla | d.BreachSla | d.StopSla | d.WarnSla
        if not isinstance(said, kinds):
            return
        clock = (said.policy, said.cycle)
        queue = self.homes.setdefault(clock, self.queue)
        match said:
            case d.MeetSla():
                self.books.add(queue, self.agent, "sla_met")
                del self.homes[clock]
            case d.BreachSla():
                self.books.add(queue, self.agent, "sla_breached")
            case d.StopSla():
                del self.homes[clock]
            case _:
                pass


def measure(entries: list[Entry]) -> Books:
    """Return the books of a journal."""
    books = Books()
    walks = []
    rings: dict[tuple[str, str], int] = {}
    for story in stories_of(entries):
        walk = Walk(story, books, rings)
        walk.all()
        walks.append(walk)
    came: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for walk in walks:
        for index, at_ms, category in () if walk.story.opened else walk.came:
            came[walk.story.arrival.customer, category].append((index, at_ms))
    for walk in walks:
        for index, at_ms, queue, agent, category in walk.ends:
            again = any(
                later > index and back_ms - at_ms <= WINDOW_MS
                for later, back_ms in came[walk.story.arrival.customer, category]
            )
            books.add(queue, agent, "first_contacts")
            books.add(queue, agent, "repeated", again)
    count_times(entries, books)
    return books


def count_times(entries: list[Entry], books: Books) -> None:
    """Look at every agent after every entry: is he there, is he busy."""
    here: set[str] = set()
    busy: dict[str, set[str]] = defaultdict(set)
    known: set[str] = set()
    last_ms = entries[0].stamped.at_ms
    for entry in entries:
        spent_ms = entry.stamped.at_ms - last_ms
        last_ms = entry.stamped.at_ms
        for agent in here if spent_ms else ():
            books.agents[agent]["signed_in_ms"] += spent_ms
            books.agents[agent]["busy_ms"] += spent_ms * bool(busy[agent])
        event = entry.stamped.event
        if followed(entry):
            match event:
                case e.CenterChanged():
                    here &= set(event.center.agents)
                    known = set(event.center.agents)
                case e.AgentSignedIn() | e.AgentPresenceChanged():
                    here.add(event.agent_id)
                case e.AgentSignedOut() | e.AgentLost():
                    here.discard(event.agent_id)
                case _:
                    pass
        for order in entry.decisions:
            match order:
                case d.AssignContact() | d.StartWrapUp():
                    busy[order.agent_id].add(order.contact_id)
                case d.EndAssignment():
                    busy[order.agent_id].discard(order.contact_id)
                case d.ChangeAgentState():
                    lost = order.reason is d.Reason.AGENT_LOST
                    here = here - {order.agent_id} if lost else here | {order.agent_id}
                case _:
                    pass
    assert known, "a centre comes first"
