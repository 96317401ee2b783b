"""The N-design of the validation cases A27-A29 and A44 as a scenario of the planner."""

from __future__ import annotations

from configs.planning import Costs, Demand, Group, Law, Rate, Scenario, Target
from router.center import Agent, AgentPolicy, Category, Center, Channel, Queue, Team

MINUTE_MS = 60_000


def n_design(agents: tuple[int, int] = (5, 7), minutes: int = 120) -> Scenario:
    """Return some minutes of the N-design: pool_1 serves A, pool_2 B before A; A asks pool_1 first.

    It starts as full as it usually is: six A and five B are there when it opens.
    """
    center = Center(
        name="N",
        version=1,
        channels={"phone": Channel(auto_accept=True)},
        skills=("a", "b"),
        queues={
            "A": Queue(agent_policy=AgentPolicy.MOST_PROFICIENT),
            "B": Queue(),
        },
        categories={
            "A": Category(queue="A", needs={"a": 1}, priority=3),
            "B": Category(queue="B", needs={"b": 1}, priority=5),
        },
        teams={"pool_1": Team(), "pool_2": Team()},
        agents={
            "one": Agent(team="pool_1", skills={"a": 9}),
            "two": Agent(team="pool_2", skills={"a": 1, "b": 5}),
        },
    )

    def calls(category: str, per_minute: float, patience: float) -> Demand:
        return Demand(
            category=category,
            channel="phone",
            handle=Law(mean_ms=MINUTE_MS),
            patience=Law(mean_ms=round(MINUTE_MS / patience)),
            per_interval=(per_minute * minutes,),
            backlog=round(per_minute),
        )

    return Scenario(
        name="N-design",
        center=center,
        date="2026-03-10",
        opens="00:00",
        closes=f"{minutes // 60:02d}:00",
        interval_ms=minutes * MINUTE_MS,
        demand={"A": calls("A", 6, 0.5), "B": calls("B", 5, 0.8)},
        workforce={
            "pool_1": Group(staffed=(agents[0],)),
            "pool_2": Group(staffed=(agents[1],)),
        },
        costs=Costs(
            rates={
                "pool_1": Rate(per_hour=1 / (minutes / 60)),
                "pool_2": Rate(per_hour=1.1 / (minutes / 60)),
            }
        ),
        target=Target(percent=0, abandoned_percent=5),
    )
