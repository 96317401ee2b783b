"""Make a day from a seed, or for a given centre.

`from_seed` draws everything: a centre, a day of some hundred to some thousand events, a subset of
the faults or none. `for_center` fits demand to the agents of a configured centre, so that a user
sees it work without a demand file. Equal arguments give equal options.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from router.center import Center
from simulation.faults import CENTER_LATE, LINE_FAULTS
from simulation.randomness import Lots, Streams
from simulation.rogues import ACTS
from simulation.scenario import (
    Customers,
    Demand,
    Faults,
    Law,
    LawKind,
    Leaving,
    Options,
    Shift,
    Workforce,
)
from simulation.swarm import LANGUAGES, TIERS, draw_center, draw_later_settings
from simulation.swarm_service import draw_service
from simulation.workforce import DEFERRED

__all__ = ["DAY_START_MS", "Options", "for_center", "from_seed"]

# Monday, 5 January 2026, 09:00 UTC: any fixed instant serves, a working day reads best.
DAY_START_MS: Final = 1_767_603_600_000
_HOUR_MS: Final = 3_600_000
_MINUTE_MS: Final = 60_000

# What one contact takes of an agent, and how long customers wait, where nobody measured: means
# by channel, to be replaced by a centre's own figures. None: such customers do not give up.
_HANDLE_MS: Final = {
    "phone": 240_000,
    "chat": 480_000,
    "email": 360_000,
    "social": 180_000,
    "sms": 240_000,
    "callback": 300_000,
    "task": 300_000,
}
_PATIENCE_MS: Final = {"phone": 300_000, "chat": 240_000, "sms": 600_000, "callback": 600_000}
# Shares of contacts by channel in a centre that says nothing about it.
_MIX: Final = {
    "phone": 0.5,
    "chat": 0.3,
    "email": 0.12,
    "social": 0.05,
    "sms": 0.03,
    "callback": 0.0,
    "task": 0.0,
}
# A working day with a morning and an afternoon peak, in half hours, mean 1.
_DAY_SHAPE: Final = (
    0.7, 0.95, 1.15, 1.25, 1.25, 1.15, 1.0, 0.85, 0.8, 0.95, 1.1, 1.15, 1.1, 1.0, 0.9, 0.7,
)  # fmt: skip


def for_center(
    center: Center,
    seed: int,
    *,
    length_ms: int = 8 * _HOUR_MS,
    load: float = 0.75,
    start_ms: int = DAY_START_MS,
) -> Options:
    """Make an ordinary day for a configured centre: no faults, demand fitted to its agents.

    An agent's time is shared equally among the categories he can serve; each category gets the
    contacts that keep its share of agents busy to `load` of their time (turns that follow on
    transfers and answers, and wrap-up, included; peaks are 1.25 times that), split over the
    centre's channels. All agents work the whole day, with one break.
    """
    customers = Customers()
    workforce = Workforce(shifts=_full_day(center, length_ms))
    staff = dict.fromkeys(center.categories, 0.0)
    for agent in center.agents.values():
        able = [
            name
            for name, category in center.categories.items()
            if all(agent.skills.get(skill, 0) >= level for skill, level in category.needs.items())
            and (not (teams := center.queues[category.queue].teams) or agent.team in teams)
        ]
        for name in able:
            staff[name] += 1 / len(able)
    mix = {name: _MIX.get(name, 0.0) for name in center.channels}
    total = sum(mix.values()) or 1.0
    demands = []
    intervals = max(1, -(-length_ms // (30 * _MINUTE_MS)))
    for category, agents in staff.items():
        per_contact = sum(
            share / total * work_ms(center, category, channel, customers, workforce)
            for channel, share in mix.items()
        )
        if not agents or not per_contact:
            continue
        rate = load * agents * _HOUR_MS / per_contact
        for channel, share in mix.items():
            if share:
                hourly = rate * share / total
                demands.append(_demand(center, category, channel, hourly, intervals))
    return Options(
        seed=seed,
        start_ms=start_ms,
        length_ms=length_ms,
        demands=tuple(demands),
        customers=customers,
        workforce=workforce,
        event_ids=True,
    )


def work_ms(
    center: Center, category: str, channel: str, customers: Customers, workforce: Workforce
) -> float:
    """Return the share of an agent's time, in milliseconds, that one contact takes on average.

    A contact that goes on with probability p after each turn has 1 / (1 - p) of them.
    """
    again = customers.transfers
    if channel in DEFERRED:
        again += customers.awaited
    limit_ms = center.categories[category].wrap_up_ms
    wrap_up_ms = workforce.wrap_up.mean_ms if limit_ms < 0 else limit_ms
    busy_ms = _HANDLE_MS[channel] + min(wrap_up_ms, workforce.wrap_up.mean_ms)
    return busy_ms / (1 - again) * min(1.0, center.channels[channel].units / 100)


def _demand(center: Center, category: str, channel: str, hourly: float, intervals: int) -> Demand:
    shape = [_DAY_SHAPE[index % len(_DAY_SHAPE)] for index in range(intervals)]
    level = sum(shape) / len(shape)
    patience_ms = _PATIENCE_MS.get(channel)
    languages = [name.removeprefix("lang:") for name in center.skills if name.startswith("lang:")]
    return Demand(
        name=f"{category[:40]}-{channel}",
        category=category,
        channel=channel,
        rates_per_hour=tuple(hourly * factor / level for factor in shape),
        interval_ms=30 * _MINUTE_MS,
        handle=Law(mean_ms=_HANDLE_MS[channel], kind=LawKind.LOGNORMAL, cv=1.2),
        patience=Law(mean_ms=patience_ms) if patience_ms else None,
        tiers=tuple((tier, 0.5 / len(center.tiers)) for tier in center.tiers),
        languages=tuple((name, 1 / len(languages)) for name in languages),
        customers=2_000,
    )


def _full_day(center: Center, length_ms: int) -> tuple[Shift, ...]:
    shifts = []
    count = len(center.agents)
    for index, agent_id in enumerate(center.agents):
        # Breaks roll through the agents, so that they never go all at once.
        at_ms = length_ms // 4 + index * (length_ms // 2) // max(1, count)
        breaks = ((at_ms, 15 * _MINUTE_MS),) if length_ms >= 4 * _HOUR_MS else ()
        shifts.append(
            Shift(agent_id=agent_id, start_ms=index * 100, end_ms=length_ms, breaks=breaks)
        )
    return tuple(shifts)


# --- swarm --------------------------------------------------------------------------------


def from_seed(seed: int, replication: int = 0) -> tuple[Center, Options]:
    """Draw a centre and a day under faults (or none) from one number."""
    streams = Streams(seed, replication)
    center = draw_service(streams.lots("service"), draw_center(streams.lots("center")))
    lots = streams.lots("day")
    length_ms = lots.between(20, 90) * _MINUTE_MS
    demands = _swarm_demands(lots, center, length_ms)
    options = Options(
        seed=seed,
        replication=replication,
        start_ms=DAY_START_MS + lots.between(0, 86_400_000),
        length_ms=length_ms,
        demands=demands,
        customers=_swarm_customers(lots),
        workforce=_swarm_workforce(lots, center, length_ms),
        event_ids=lots.chance(0.5),
        lag_ms=lots.pick((0, 0, 0, 40, 1_500)),
    )
    center = draw_later_settings(streams.lots("later"), center, options.start_ms, length_ms)
    return center, replace(options, faults=_swarm_faults(streams.lots("faults")))


def _swarm_demands(lots: Lots, center: Center, length_ms: int) -> tuple[Demand, ...]:
    contacts = lots.between(30, 140)
    load = lots.pick((0.4, 0.8, 1.0, 1.5))
    pairs = [(c, channel) for c in center.categories for channel in center.channels]
    chosen = lots.some(pairs, 1, 10)
    intervals = lots.between(1, 4)
    budget_ms = load * len(center.agents) * length_ms / contacts
    demands = []
    for category, channel in chosen:
        mean = contacts / len(chosen) / (length_ms / _HOUR_MS)
        shape = [0.2 + 1.6 * lots.uniform() for _ in range(intervals)]
        units = min(1.0, center.channels[channel].units / 100)
        handle_ms = round(budget_ms / units * (0.5 + lots.uniform()))
        patience = Law(
            mean_ms=lots.pick((20_000, 90_000, 400_000)),
            kind=lots.pick((LawKind.EXPONENTIAL, LawKind.WEIBULL)),
            cv=lots.pick((0.5, 1.0, 1.5)),
        )
        impatient = channel in _PATIENCE_MS or lots.chance(0.2)
        demands.append(
            Demand(
                name=f"{category}-{channel}",
                category=category,
                channel=channel,
                rates_per_hour=tuple(mean * factor for factor in shape),
                interval_ms=-(-length_ms // intervals),
                handle=Law(
                    mean_ms=min(max(handle_ms, 1_000), 1_200_000),
                    kind=lots.pick(tuple(LawKind)),
                    cv=lots.pick((0.5, 1.0, 1.5)),
                ),
                patience=patience if impatient else None,
                tiers=tuple((tier, 0.3) for tier in TIERS) if lots.chance(0.5) else (),
                languages=tuple((name, 0.3) for name in LANGUAGES),
                priorities=((lots.between(0, 9), 0.3),) if lots.chance(0.4) else (),
                own_skills=_own_skills(lots, center),
                preferred_agents=tuple(
                    (agent, 0.1) for agent in lots.some(list(center.agents), 0, 3)
                ),
                customers=lots.pick((5, 50, 1_000)),
            )
        )
    return tuple(demands)


def _own_skills(lots: Lots, center: Center) -> tuple[tuple[str, int, float], ...]:
    if lots.chance(0.6):
        return ()
    return ((lots.pick(center.skills), lots.between(1, 6), 0.2),)


def _swarm_customers(lots: Lots) -> Customers:
    def some(high: float) -> float:
        return lots.uniform() * high if lots.chance(0.6) else 0.0

    return Customers(
        connect=Law(mean_ms=lots.pick((500, 2_000, 8_000))),
        connect_fails=some(0.2),
        holds=some(0.5),
        transfers=some(0.3),
        updates=some(0.3),
        merges=some(0.1),
        complains=some(0.2),
        ends_unresolved=lots.uniform(),
        awaited=some(0.6),
        answers_back=lots.uniform(),
        reply=Law(mean_ms=lots.pick((30_000, 300_000))),
        takes_callback=some(1.0),
        asks_callback=some(0.2),
        callback_delay=Law(mean_ms=lots.pick((60_000, 600_000))),
        redials=some(0.6),
        redial_delay=Law(mean_ms=lots.pick((10_000, 120_000))),
        reopens=some(0.2),
        repeats=some(0.2),
        return_delay=Law(mean_ms=lots.pick((5_000, 300_000))),
        answers_survey=some(1.0),
        survey_delay=Law(mean_ms=60_000),
        unhappy=some(0.5),
        calls_unanswered=some(0.6),
        redials_anew=some(1.0),
        meets_bot=some(0.3),
        bot=Law(mean_ms=lots.pick((10_000, 90_000))),
        bot_settles=lots.uniform(),
        complains_late=some(0.3),
    )


def _swarm_workforce(lots: Lots, center: Center, length_ms: int) -> Workforce:
    shifts = []
    leaves = lots.chance(0.5)
    for agent_id in center.agents:
        start_ms = lots.between(0, length_ms // 5) if lots.chance(0.4) else 0
        end_ms = lots.between(length_ms // 2, length_ms) if leaves else length_ms
        breaks: tuple[tuple[int, int], ...] = ()
        if lots.chance(0.4):
            at_ms = start_ms + (end_ms - start_ms) // 3
            breaks = ((at_ms, lots.between(10, max(11, (end_ms - at_ms) // 2_000)) * 1_000),)
        shifts.append(Shift(agent_id=agent_id, start_ms=start_ms, end_ms=end_ms, breaks=breaks))
    careless = lots.pick((0.0, 0.02, 0.2))
    return Workforce(
        shifts=tuple(shifts),
        reaction=Law(mean_ms=lots.pick((500, 3_000, 9_000))),
        wrap_up=Law(mean_ms=lots.pick((5_000, 40_000))),
        declines=careless,
        ignores=lots.pick((0.0, 0.02, 0.2)),
        unanswered_return=Law(mean_ms=lots.pick((20_000, 200_000))),
        proficiency_gain=lots.pick((0.0, 0.3)),
        leaving=lots.pick(tuple(Leaving)),
    )


def _swarm_faults(lots: Lots) -> Faults:
    if lots.chance(0.2):
        return Faults()
    line = lots.some(LINE_FAULTS, 0, len(LINE_FAULTS)) if lots.chance(0.6) else []
    acts = lots.some(tuple(ACTS), 1, len(ACTS)) if lots.chance(0.8) else []
    late = (CENTER_LATE,) if lots.chance(0.1) else ()
    return Faults(
        kinds=(*line, *late, *acts),
        share=lots.pick((0.01, 0.05, 0.15)),
        gap_ms=lots.pick((10_000, 30_000, 120_000)),
        delay=Law(mean_ms=lots.pick((100, 5_000, 60_000))),
    )
