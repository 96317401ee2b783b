"""Say what a simulated day is made of: frozen data, nothing drawn yet.

Durations are integer milliseconds; offsets count from the start of the day. Shares lie in
[0, 1]. Who builds these: `simulation.options`. Who reads them: the world.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class LawKind(Enum):
    """Name a law of durations."""

    CONSTANT = "constant"
    EXPONENTIAL = "exponential"
    LOGNORMAL = "lognormal"
    WEIBULL = "weibull"


@dataclass(frozen=True, kw_only=True)
class Law:
    """Describe durations by mean and coefficient of variation (which `exponential` fixes at 1)."""

    mean_ms: int
    kind: LawKind = LawKind.EXPONENTIAL
    cv: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Demand:
    """Describe one source of contacts: a category on a channel.

    Arrivals are Poisson with the rate `rates_per_hour[k]` in the k-th interval of `interval_ms`;
    after the last interval nobody comes. `name` begins the contacts' ids. `tiers`, `languages`
    and `priorities` are (value, share) pairs; what the shares leave open gets "" (priority: -1).
    `customers` is the number of people behind the demand, so that some call again.
    `patience` None means that nobody gives up.
    """

    name: str
    category: str
    channel: str
    rates_per_hour: tuple[float, ...]
    interval_ms: int
    handle: Law
    patience: Law | None = None
    tiers: tuple[tuple[str, float], ...] = ()
    languages: tuple[tuple[str, float], ...] = ()
    priorities: tuple[tuple[int, float], ...] = ()
    own_skills: tuple[tuple[str, int, float], ...] = ()
    preferred_agents: tuple[tuple[str, float], ...] = ()
    customers: int = 1_000


@dataclass(frozen=True, kw_only=True)
class Customers:
    """Say how often customers do what; each share is a probability per occasion.

    Of those who call again after giving up, `redials_anew` do so as a new contact. `meets_bot`
    begin with a bot, which settles `bot_settles` of their matters. `calls_unanswered` are not
    reached when they are called back. `complains_late` complain about a closed contact.
    """

    connect: Law = Law(mean_ms=1_500)
    connect_fails: float = 0.01
    holds: float = 0.1
    transfers: float = 0.05
    updates: float = 0.03
    merges: float = 0.01
    complains: float = 0.02
    ends_unresolved: float = 0.4
    awaited: float = 0.3
    answers_back: float = 0.7
    reply: Law = Law(mean_ms=600_000)
    takes_callback: float = 0.5
    asks_callback: float = 0.0
    callback_delay: Law = Law(mean_ms=900_000)
    redials: float = 0.25
    redial_delay: Law = Law(mean_ms=300_000)
    reopens: float = 0.03
    repeats: float = 0.05
    return_delay: Law = Law(mean_ms=1_200_000)
    answers_survey: float = 0.3
    survey_delay: Law = Law(mean_ms=300_000)
    unhappy: float = 0.15
    calls_unanswered: float = 0.0
    redials_anew: float = 0.0
    meets_bot: float = 0.0
    bot: Law = Law(mean_ms=90_000)
    bot_settles: float = 0.5
    complains_late: float = 0.0


class Leaving(Enum):
    """Say what an agent does with his work when his shift ends."""

    FINISH = "finish"
    AT_ONCE = "at_once"


@dataclass(frozen=True, kw_only=True)
class Shift:
    """Describe one agent's working time, as offsets from the start of the day.

    `breaks` are (offset, length) pairs in order and within the shift.
    """

    agent_id: str
    start_ms: int
    end_ms: int
    breaks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Workforce:
    """Describe how agents work.

    `proficiency_gain` g makes the work of an agent of mean level l last
    `1 - g (l - 5.5) / 4.5` times as long. `ignores` and `declines` are shares of offers.
    """

    shifts: tuple[Shift, ...]
    reaction: Law = Law(mean_ms=2_500)
    wrap_up: Law = Law(mean_ms=20_000)
    declines: float = 0.02
    ignores: float = 0.02
    unanswered_return: Law = Law(mean_ms=120_000)
    proficiency_gain: float = 0.2
    leaving: Leaving = Leaving.FINISH


@dataclass(frozen=True, kw_only=True)
class Faults:
    """Say which faults strike (names of `simulation.rogues.FAULTS`) and how often.

    `share` of the events on the line are struck by a line fault; a rogue act comes every
    `gap_ms` on average.
    """

    kinds: tuple[str, ...] = ()
    share: float = 0.05
    gap_ms: int = 60_000
    delay: Law = Law(mean_ms=5_000)


@dataclass(frozen=True, kw_only=True)
class Options:
    """Describe one day whole; with the centre and the seed it repeats to the byte.

    `event_ids`: producers number their records. `lag_ms`: what a decision takes to reach the world
    (0: it is heard at once). `heal_ms`: after the day, the time in which every contact must end.
    """

    seed: int
    replication: int = 0
    start_ms: int
    length_ms: int
    demands: tuple[Demand, ...]
    customers: Customers
    workforce: Workforce
    faults: Faults = Faults()
    event_ids: bool = False
    lag_ms: int = 0
    heal_ms: int = 6 * 3_600_000
