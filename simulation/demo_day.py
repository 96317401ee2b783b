"""Stage the demo's morning in the sample centre: demand, workforce, one incident.

All numbers are made up for the show, for the categories of `configs/sample`; a source of a
category that a centre does not have is left out. Everybody signs in within the first seconds.
At a third of the show most agents of the incident's team go on break; a little after half of
it they come back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from router.center import Center
from simulation.scenario import Customers, Demand, Law, LawKind, Options, Shift, Workforce

START_MS: Final = 1_772_528_400_000
"""2026-03-03 09:00:00 UTC, a Tuesday: the same morning in every show."""

_TIERS: Final = (("strict", 0.08), ("standard", 0.62), ("basic", 0.30))
_LANGUAGES: Final = (("zh", 0.86), ("en", 0.14))
_INCIDENT_QUEUES: Final = ("billing", "technical")
_AWAY_PERCENT: Final = 75
_SIGN_IN_SPREAD_MS: Final = 20_000
_BREAK_SPREAD_MS: Final = 15_000

# Name, category, channel, contacts an hour, mean seconds of work and of patience (0: endless).
_SOURCES: Final = (
    ("bill", "billing", "phone", 350, 140, 150),
    ("order", "order_status", "phone", 380, 85, 120),
    ("order-chat", "order_status", "chat", 240, 110, 240),
    ("parcel", "delivery", "phone", 330, 105, 150),
    ("return", "returns", "phone", 120, 150, 180),
    ("mail", "feedback", "email", 70, 200, 0),
    ("post", "feedback", "social", 30, 120, 0),
    ("tech", "technical_help", "phone", 250, 170, 240),
    ("tech-chat", "technical_help", "chat", 50, 120, 300),
    ("fault", "fault", "phone", 100, 150, 200),
    ("sale", "sales", "phone", 130, 160, 120),
    ("leave", "cancellation", "phone", 50, 200, 150),
    ("complaint", "complaint", "phone", 35, 240, 300),
)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The three acts of a show, as offsets from its start, and who goes on break."""

    queue: str
    away: tuple[str, ...]
    staff: int
    incident_ms: int
    recovery_ms: int
    length_ms: int

    def act(self, elapsed_ms: int) -> str:
        """Say what is going on."""
        if elapsed_ms < self.incident_ms:
            return " The centre fills: customers call, agents answer "
        if elapsed_ms < self.recovery_ms:
            return (
                f" Incident: {len(self.away)} of {self.staff} agents of {self.queue} are on break "
            )
        return f" Recovery: they are back, {self.queue} drains "


def stage_for(center: Center, length_ms: int) -> Stage:
    """Choose the incident's queue and its agents.

    Raises ValueError for a centre that has none of the queues the show knows.
    """
    queue = next((name for name in _INCIDENT_QUEUES if name in center.queues), None)
    if queue is None:
        raise ValueError(
            f"the centre {center.name!r} has none of the queues {', '.join(_INCIDENT_QUEUES)}; "
            "the demo is made for configs/sample"
        )
    team = (center.queues[queue].teams or tuple(center.teams))[0]
    staff = [agent_id for agent_id, agent in center.agents.items() if agent.team == team]
    away = staff[: max(len(staff) * _AWAY_PERCENT // 100, 1)]
    return Stage(
        queue=queue,
        away=tuple(away),
        staff=len(staff),
        incident_ms=length_ms // 3,
        recovery_ms=length_ms * 9 // 16,
        length_ms=length_ms,
    )


def demo_options(
    center: Center, stage: Stage, seed: int, start_ms: int = START_MS, prefix: str = ""
) -> Options:
    """Describe the whole morning, to be played by `simulation.world`; ids begin with `prefix`."""
    demands = tuple(
        Demand(
            name=f"{prefix}{name}",
            category=category,
            channel=channel,
            rates_per_hour=(float(rate),),
            # One rate throughout; the show ends before the interval does.
            interval_ms=stage.length_ms + 1,
            handle=Law(mean_ms=work * 1_000, kind=LawKind.LOGNORMAL, cv=0.6),
            patience=Law(mean_ms=patience * 1_000) if patience else None,
            tiers=_TIERS,
            languages=_LANGUAGES,
        )
        for name, category, channel, rate, work, patience in _SOURCES
        if category in center.categories and channel in center.channels
    )
    return Options(
        seed=seed,
        start_ms=start_ms,
        length_ms=stage.length_ms,
        demands=demands,
        customers=Customers(
            connect=Law(mean_ms=600),
            connect_fails=0.005,
            transfers=0.0,
            updates=0.0,
            merges=0.0,
            complains=0.01,
            awaited=0.2,
            redial_delay=Law(mean_ms=120_000),
            reopens=0.01,
            repeats=0.0,
        ),
        workforce=Workforce(
            shifts=_shifts(center, stage),
            reaction=Law(mean_ms=1_200, kind=LawKind.LOGNORMAL, cv=0.6),
            wrap_up=Law(mean_ms=15_000),
            declines=0.01,
            ignores=0.01,
        ),
    )


def _shifts(center: Center, stage: Stage) -> tuple[Shift, ...]:
    """Let everybody sign in one after the other, and the chosen go on break likewise."""
    agents = tuple(center.agents)
    shifts = []
    for index, agent_id in enumerate(agents):
        breaks: tuple[tuple[int, int], ...] = ()
        if agent_id in stage.away:
            late_ms = stage.away.index(agent_id) * _BREAK_SPREAD_MS // len(stage.away)
            breaks = ((stage.incident_ms + late_ms, stage.recovery_ms - stage.incident_ms),)
        shifts.append(
            Shift(
                agent_id=agent_id,
                start_ms=index * _SIGN_IN_SPREAD_MS // len(agents),
                end_ms=2 * stage.length_ms + 3_600_000,
                breaks=breaks,
            )
        )
    return tuple(shifts)
