"""Compare the ways to choose a contact, and a reserve, on the same simulated customers.

`python -m benchmarks.policies` prints the tables of ROUTING.md. Poisson arrivals, exponential
work and patience; the live core decides, a plain loop carries out. Every policy meets the same
customers.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from typing import Final

from router.center import (
    Agent,
    AgentPolicy,
    Category,
    Center,
    Channel,
    ClockKind,
    ContactPolicy,
    PairWeight,
    Promise,
    Queue,
    Team,
)
from router.decisions import AssignContact
from router.events import (
    AgentSignedIn,
    CenterChanged,
    ContactAbandoned,
    ContactArrived,
    ContactEnded,
    Event,
    Stamped,
    TimeAdvanced,
)
from router.router import Router

START_MS: Final = 1_767_603_600_000
MINUTE_MS: Final = 60_000


@dataclass(frozen=True)
class Stream:
    """One kind of customers: arrivals per minute, mean work and patience (0: endless), minutes."""

    category: str
    rate: float
    work_min: float
    patience_min: float = 0.0


@dataclass
class Outcome:
    """What became of the customers: waits (ms) by category, who left, mean lengths of lines."""

    waits_ms: dict[str, list[int]] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    lengths: dict[str, float] = field(default_factory=dict)

    def mean_min(self, category: str) -> float:
        """Return the mean wait of those served, minutes."""
        waits_ms = self.waits_ms[category]
        return sum(waits_ms) / len(waits_ms) / MINUTE_MS

    def lost(self, category: str) -> float:
        """Return the share that left unserved."""
        left = self.left.get(category, 0)
        return left / (left + len(self.waits_ms[category]))


def play(center: Center, streams: tuple[Stream, ...], minutes: int, seed: int = 1) -> Outcome:
    """Let customers come for some minutes; return what became of them."""
    router, seq = Router(), 0
    todo: list[tuple[int, int, Event]] = []
    work_ms: dict[str, int] = {}
    kinds: dict[str, str] = {}
    for stream in streams:
        lots = random.Random(f"{seed} {stream.category}")
        at = 0.0
        while (at := at + lots.expovariate(stream.rate)) < minutes:
            name = f"{stream.category}-{len(kinds)}"
            kinds[name] = stream.category
            work_ms[name] = max(1, round(lots.expovariate(1 / stream.work_min) * MINUTE_MS))
            at_ms = START_MS + round(at * MINUTE_MS)
            heappush(todo, (at_ms, len(todo), ContactArrived(name, "phone", stream.category)))
            if stream.patience_min:
                gone_ms = at_ms + round(lots.expovariate(1 / stream.patience_min) * MINUTE_MS)
                heappush(todo, (gone_ms, len(todo) + 1_000_000, ContactAbandoned(name)))
    found = Outcome({s.category: [] for s in streams}, {}, {s.category: 0.0 for s in streams})
    served: set[str] = set()
    number = 10_000_000

    def tell(at_ms: int, event: Event) -> None:
        nonlocal seq, number
        seq += 1
        for said in router.handle(Stamped(seq, at_ms, event)):
            if isinstance(said, AssignContact):
                served.add(said.contact_id)
                found.waits_ms[kinds[said.contact_id]].append(said.wait_ms)
                number += 1
                end_ms = at_ms + work_ms[said.contact_id]
                heappush(todo, (end_ms, number, ContactEnded(said.contact_id)))

    tell(START_MS, CenterChanged(center))
    for agent_id in center.agents:
        tell(START_MS, AgentSignedIn(agent_id))
    before_ms = START_MS
    while todo:
        at_ms, _, event = heappop(todo)
        due_ms = router.next_deadline()
        while due_ms is not None and due_ms <= at_ms:
            tell(due_ms, TimeAdvanced())
            due_ms = router.next_deadline()
        for name, queue in router.floor.queues.items():
            if name in found.lengths:
                found.lengths[name] += queue.waiting * (at_ms - before_ms) / minutes / MINUTE_MS
        before_ms = at_ms
        if isinstance(event, ContactAbandoned):
            if event.contact_id in served:
                continue
            found.left[kinds[event.contact_id]] = found.left.get(kinds[event.contact_id], 0) + 1
        tell(at_ms, event)
    return found


# --- three lines, ten agents: who is served first? --------------------------------------------

BANK: Final = (Stream("loans", 0.5, 8), Stream("cards", 1.2, 3), Stream("fraud", 0.8, 2.5))
BANK_QUEUES: Final = {
    "loans": Queue(
        wait_weight=1, handle_time_ms=8 * MINUTE_MS, service_level_ms=3 * MINUTE_MS, queue_share=5
    ),
    "cards": Queue(
        wait_weight=2, handle_time_ms=3 * MINUTE_MS, service_level_ms=MINUTE_MS, queue_share=3
    ),
    "fraud": Queue(wait_weight=8, handle_time_ms=150_000, service_level_ms=20_000, queue_share=2),
}


def bank(policy: ContactPolicy, agents: int = 10) -> Center:
    """Return three lines with different promises and costs, served by everybody."""
    return Center(
        name="bank",
        version=1,
        channels={"phone": Channel(auto_accept=True)},
        skills=(),
        queues=BANK_QUEUES,
        categories={name: Category(queue=name) for name in BANK_QUEUES},
        teams={"t": Team(pairs={name: PairWeight(wait=q.wait_weight)
                                for name, q in BANK_QUEUES.items()})},
        agents={f"a{number}": Agent(team="t") for number in range(agents)},
        promises={
            name: Promise(
                kind=ClockKind.ANSWER, target_ms=queue.service_level_ms, categories=(name,)
            )
            for name, queue in BANK_QUEUES.items()
        },
        contact_policy=policy,
    )  # fmt: skip


def delay_cost(outcome: Outcome) -> float:
    """Return the mean cost of a wait by the curve of `generalized_c_mu`, in weighted minutes."""
    cost = number = 0.0
    for name, queue in BANK_QUEUES.items():
        promised_ms = queue.service_level_ms
        for wait_ms in outcome.waits_ms[name]:
            late_ms = max(0, wait_ms - promised_ms)
            squares = wait_ms**2 + queue.late_weight * late_ms**2
            cost += queue.wait_weight * squares / (2 * promised_ms * MINUTE_MS)
            number += 1
    return cost / number


def compare_policies(minutes: int) -> None:
    """Print what each way to choose a contact does to the same customers."""
    print(f"{'policy':<24}{'cost':>8}  mean wait of loans, cards, fraud (s)   late (%)   lengths")
    for policy in ContactPolicy:
        found = play(bank(policy), BANK, minutes)
        waits = "".join(f"{found.mean_min(name) * 60:8.1f}" for name in BANK_QUEUES)
        late = "".join(
            f"{100 * sum(w > q.service_level_ms for w in found.waits_ms[name]) / len(found.waits_ms[name]):6.1f}"  # noqa: E501 - one cell of a table
            for name, q in BANK_QUEUES.items()
        )
        lengths = "".join(f"{length:6.2f}" for length in found.lengths.values())
        print(f"{policy.value:<24}{delay_cost(found):8.2f}  {waits}{'':14}{late}{lengths}")


# --- the N-design: one line's agents help the other -------------------------------------------

N_STREAMS: Final = (Stream("A", 6, 1, 2), Stream("B", 5, 1, 1.25))


def n_design(reserve: int) -> Center:
    """Return five agents for A, seven who prefer B, some of whom are kept idle for it."""
    helpers = Agent(team="second", skills={"a": 1, "b": 1})
    return Center(
        name="n",
        version=1,
        channels={"phone": Channel(auto_accept=True)},
        skills=("a", "b"),
        # Priority lets a freed helper take B first; A looks at the first pool first.
        queues={"A": Queue(agent_policy=AgentPolicy.LINEAR), "B": Queue(reserve=reserve)},
        categories={
            "A": Category(queue="A", needs={"a": 1}),
            "B": Category(queue="B", needs={"b": 1}, priority=9),
        },
        teams={"first": Team(), "second": Team()},
        agents={f"a{n}": Agent(team="first", skills={"a": 1}) for n in range(5)}
        | {f"b{n}": helpers for n in range(7)},
    )


def compare_reserves(minutes: int) -> None:
    """Print what share is lost with and without one agent kept idle for B."""
    for reserve in (0, 1):
        found = play(n_design(reserve), N_STREAMS, minutes)
        print(f"reserve {reserve}: lost of A {found.lost('A'):.4f}, of B {found.lost('B'):.4f}")


# --- accumulating priority against its formula --------------------------------------------------


def weighted(minutes: int) -> dict[int, float]:
    """Return the mean wait in minutes by weight (Kleinrock 1964; validation case A25)."""
    weights = {"one": 1, "two": 2, "four": 4}
    center = replace(
        bank(ContactPolicy.LONGEST_WEIGHTED_WAIT),
        queues={name: Queue(wait_weight=weight) for name, weight in weights.items()},
        categories={name: Category(queue=name) for name in weights},
        teams={"t": Team()},
        promises={},
    )
    streams = (Stream("one", 2.5, 1), Stream("two", 2.5, 1), Stream("four", 3, 1))
    found = play(center, streams, minutes)
    return {weight: found.mean_min(name) for name, weight in weights.items()}


def main() -> None:
    """Print all three tables."""
    compare_policies(5_000)
    compare_reserves(10_000)
    exact = {1: 0.31475396215111, 2: 0.194406858975686, 4: 0.121272850122928}
    for weight, mean_min in weighted(5_000).items():
        print(f"weight {weight}: mean wait {mean_min:.4f} min, exact {exact[weight]:.4f}")


if __name__ == "__main__":
    main()
