"""Make live states to forecast from: one line, exponential laws, so many busy and waiting."""

from __future__ import annotations

from configs.planning import Demand, Group, Law, Scenario
from router.center import Agent, Category, Center, Channel, Queue, Team
from router.events import AgentSignedIn, CenterChanged, ContactArrived
from router.router import Router
from router.sequencer import Sequencer

OPENED_MS = 1_772_442_000_000  # 2026-03-02T09:00:00Z
MINUTE_MS = 60_000


def one_line(agents: int) -> Center:
    """Return a centre with one line and so many agents; calls are accepted at once."""
    return Center(
        name="one-line",
        version=1,
        channels={"phone": Channel(auto_accept=True)},
        skills=("calls",),
        queues={"calls": Queue(service_level_ms=20_000)},
        categories={"call": Category(queue="calls", needs={"calls": 1}, wrap_up_ms=0)},
        teams={"team": Team()},
        agents={f"agent-{n:02d}": Agent(team="team", skills={"calls": 5}) for n in range(agents)},
    )


def scenario_of(
    center: Center, *, per_minute: float, work_min: float, patience_min: float | None
) -> Scenario:
    """Return an hour of calls at a rate, with exponential work and patience."""
    demand = Demand(
        category="call",
        channel="phone",
        handle=Law(mean_ms=round(work_min * MINUTE_MS)),
        patience=None if patience_min is None else Law(mean_ms=round(patience_min * MINUTE_MS)),
        per_interval=(per_minute * 60,),
    )
    return Scenario(
        name="an hour",
        center=center,
        date="2026-03-02",
        opens="09:00",
        closes="10:00",
        interval_ms=3_600_000,
        demand={"calls": demand},
        workforce={"team": Group(members=tuple(center.agents))},
    )


def live_router(center: Center, busy: int, waiting: int, *, apart_ms: int = 1_000) -> Router:
    """Return a router after so many calls, one each `apart_ms`, taken as far as agents go."""
    router = Router()
    sequencer = Sequencer(router)
    sequencer.accept(CenterChanged(center), OPENED_MS)
    for name in list(center.agents)[:busy]:
        sequencer.accept(AgentSignedIn(name, 1), OPENED_MS)
    for number in range(busy + waiting):
        at_ms = OPENED_MS + number * apart_ms
        sequencer.accept(ContactArrived(f"calls-{number}", "phone", "call"), at_ms)
    for name in list(center.agents)[busy:]:
        sequencer.accept(AgentSignedIn(name, 1), OPENED_MS + (busy + waiting) * apart_ms)
    return router
