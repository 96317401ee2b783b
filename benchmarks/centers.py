"""Build the centres that the benchmarks route for."""

from __future__ import annotations

import numpy as np

from benchmarks.customers import Model
from router.center import Agent, Category, Center, Channel, ClockKind, Limits, Promise, Queue, Team

START_MS = 1_767_225_600_000
WRAP_UP_LIMIT_MS = 600_000
_ROOM = Limits(
    open_contacts=2_000_000, agents=50_000, need_sets=10_000, event_ids=1_000, duplicate_window_ms=1
)


def name_agent(number: int) -> str:
    """Return the id of an agent."""
    return f"agent-{number}"


def simulated_day(model: Model, *, offers: bool = False) -> Center:
    """Build the centre of the simulated-day models: one queue and category per kind of customer.

    Plain, every offer is accepted by the channel itself and there is no wrap-up. With `offers`
    agents answer for themselves, wrap up, and every contact carries an answer clock.
    """
    kinds = range(model.categories)
    skilled = model.categories > 1
    return Center(
        name="benchmark",
        version=1,
        channels={"phone": Channel(auto_accept=not offers, offer_timeout_ms=20_000)},
        skills=tuple(f"skill-{kind}" for kind in kinds),
        queues={f"queue-{kind}": Queue() for kind in kinds},
        categories={
            f"category-{kind}": Category(
                queue=f"queue-{kind}",
                needs={f"skill-{kind}": 1} if skilled else {},
                wrap_up_ms=WRAP_UP_LIMIT_MS * 24 if offers else 0,
            )
            for kind in kinds
        },
        teams={"team": Team()},
        agents={
            name_agent(agent): Agent(
                team="team",
                skills={f"skill-{kind}": 5 for kind in model.serves(agent)} if skilled else {},
            )
            for agent in range(model.agents)
        },
        promises=_answer_in(20_000) if offers else {},
        limits=_ROOM,
    )


def growing(agents: int, *, pool: int = 20, answer_ms: int = 20_000, seed: int = 5) -> Center:
    """Build a centre of `agents` with four skills each, of a fixed pool with a category per skill.

    Agent k surely has skill k modulo `pool` at level 10, so that every category has somebody who
    serves it; three further skills and all other levels are drawn.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    staff: dict[str, Agent] = {}
    for number in range(agents):
        others = generator.permutation(pool)[:4].tolist()
        levels = generator.integers(1, 11, 4).tolist()
        skills = {f"skill-{skill}": level for skill, level in zip(others, levels, strict=True)}
        if f"skill-{number % pool}" not in skills:
            del skills[f"skill-{others[0]}"]
        skills[f"skill-{number % pool}"] = 10
        staff[name_agent(number)] = Agent(team="team", skills=skills)
    return Center(
        name="growth",
        version=1,
        channels={"phone": Channel(offer_timeout_ms=20_000)},
        skills=tuple(f"skill-{skill}" for skill in range(pool)),
        queues={f"queue-{skill}": Queue() for skill in range(pool)},
        categories={
            f"category-{skill}": Category(
                queue=f"queue-{skill}", needs={f"skill-{skill}": 3}, wrap_up_ms=WRAP_UP_LIMIT_MS
            )
            for skill in range(pool)
        },
        teams={"team": Team()},
        agents=staff,
        promises=_answer_in(answer_ms),
        limits=_ROOM,
    )


def _answer_in(target_ms: int) -> dict[str, Promise]:
    return {"answer": Promise(kind=ClockKind.ANSWER, target_ms=target_ms, warnings=(80,))}
