"""Describe a scenario completely: a live centre, its demand, its people, its costs, what changes.

`Scenario` is what a planner's tools work on: frozen, complete, with the centre in it. A file is
a `ScenarioFile`: the same, naming the centre's directory (or another scenario, as `base`).
`configs.scenarios` reads one; `simulation.plan` plays it.

Durations are integer milliseconds in names that end in `_ms` (in files also `20s`, `3m`).
Times of day are local clock times of `zone` on `date`, "09:30"; 24:00 is the day's end. Shares
lie in [0, 1]. Money has no unit but `costs.currency`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from configs.changes import Change, SiteLost
from router.center import Center

_CLOSED = {"extra": "forbid"}


class LawName(Enum):
    """Name a law of durations."""

    CONSTANT = "constant"
    EXPONENTIAL = "exponential"
    LOGNORMAL = "lognormal"
    GAMMA = "gamma"
    WEIBULL = "weibull"
    UNIFORM = "uniform"
    EMPIRICAL = "empirical"
    HAZARD = "hazard"


class Closing(Enum):
    """Say what happens to contacts that wait when the doors close.

    `served`: who is on shift at closing stays for those whom he may serve; `cleared`: they are
    sent away; `carried`: they stay open, for tomorrow.
    """

    SERVED = "served"
    CLEARED = "cleared"
    CARRIED = "carried"


class Leaving(Enum):
    """Say what an agent does when his shift ends.

    `finish`: finishes what is in hand and takes nothing new, which counts as time after shift;
    `hand_over`: signs out, and what is in hand goes back into line; `until_empty`: goes on
    serving as long as anybody waits whom he may serve.
    """

    FINISH = "finish"
    HAND_OVER = "hand_over"
    UNTIL_EMPTY = "until_empty"


@dataclass(frozen=True, kw_only=True)
class PlainLaw:
    """Describe how long something takes, whenever it is.

    `mean_ms` with `cv` (standard deviation over mean) serves lognormal, gamma and weibull;
    constant and exponential need the mean alone. `low_ms`, `high_ms`: uniform. `values_ms`:
    empirical, each as likely as the others. `hazard`: from `from_ms[i]` on an end comes at the
    rate `per_minute[i]`; the last rate goes on for ever.
    """

    __pydantic_config__ = _CLOSED

    law: LawName = LawName.EXPONENTIAL
    mean_ms: int = 0
    cv: float = 1.0
    low_ms: int = 0
    high_ms: int = 0
    values_ms: tuple[int, ...] = ()
    from_ms: tuple[int, ...] = ()
    per_minute: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LaterLaw(PlainLaw):
    """Describe how long something takes from a time of day on."""

    __pydantic_config__ = _CLOSED

    start: str


@dataclass(frozen=True, kw_only=True)
class Law(PlainLaw):
    """Describe how long something takes; a plain duration in a file is an exponential mean.

    From the start of each of `later` on, in their order, that law holds instead: for who arrives
    then, whenever he is served; of a redial, who gives up then; of a reaction, who is offered then.
    """

    __pydantic_config__ = _CLOSED

    later: tuple[LaterLaw, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Again:
    """Say who comes back: a share, after a time, at most `max` times.

    `same_work` keeps work and patience of the first call; else both are drawn anew. With
    `recognised` the router is told that it is the same contact, which keeps its age. With
    `waits_add_up` an answer is in time if all waits together are.
    """

    __pydantic_config__ = _CLOSED

    share: float
    after: Law
    max: int = 3
    same_work: bool = False
    recognised: bool = False
    waits_add_up: bool = False


@dataclass(frozen=True, kw_only=True)
class Surge:
    """Multiply the rate between two times of the day by a known factor."""

    __pydantic_config__ = _CLOSED

    start: str
    end: str
    factor: float


@dataclass(frozen=True, kw_only=True)
class Bursts:
    """Multiply the rate by `factor` in random spells (a two-state MMPP in its steady state)."""

    __pydantic_config__ = _CLOSED

    factor: float
    length_ms: int
    gap_ms: int


@dataclass(frozen=True, kw_only=True)
class Dialer:
    """Describe a dialer: it calls customers while agents are idle.

    Between `start` and `end` it looks whenever an agent ends a contact, and every `every_ms` (0:
    only then). If agents of `groups` are idle, and with those of `beside` at least `idle_min`, it
    dials `lines_per_agent` numbers for each idle agent of `groups`, less those that still ring. A
    share `reach` (one number, or one an interval) answers after `rings` (none: at once) and is a
    contact from then on. `numbers` are on the list (0: without end).
    """

    __pydantic_config__ = _CLOSED

    start: str
    end: str
    groups: tuple[str, ...]
    beside: tuple[str, ...] = ()
    idle_min: int = 1
    lines_per_agent: float = 1.0
    reach: tuple[float, ...]
    rings: Law | None = None
    every_ms: int = 10_000
    numbers: int = 0


@dataclass(frozen=True, kw_only=True)
class Demand:
    """Describe one source of contacts: a category on a channel.

    One of: `per_interval` (expected contacts in each interval from opening, evenly within it),
    `rates_per_hour` (one more than intervals: the rate runs straight between their edges),
    `recorded` (a journal, a worker's store, or a table with one instant a line, as seen from the
    scenario's file: its contacts of this category and channel within the hours), `arrivals_ms`
    (after opening), a `dialer`. `factor` multiplies the volume, but a dialer's. A share `bot` is
    settled before it reaches the centre.

    A share `balking` of those not taken at once leaves at once. `resolved` is the share settled
    at the first contact by an agent of middle skill; `repeat` says who of the others returns,
    `redial` who of those who abandoned or found no room. `takes_callback`: share of the offered
    callbacks that are taken. One is offered by a step of the waiting plan, or by the announcement
    to who arrives when `callback_from` or more wait in the line already (0: never). Who takes it
    keeps his place, or hangs up and is a contact of the demand `callback_as` from then on.
    `transfers`: category to share, after the talk. `answer_within_ms` 0: the queue's. `backlog`
    contacts wait at opening. `reply_after`: the first written reply.
    """

    __pydantic_config__ = _CLOSED

    category: str
    channel: str
    handle: Law
    per_interval: tuple[float, ...] = ()
    rates_per_hour: tuple[float, ...] = ()
    recorded: str = ""
    arrivals_ms: tuple[int, ...] = ()
    dialer: Dialer | None = None
    factor: float = 1.0
    surges: tuple[Surge, ...] = ()
    bursts: Bursts | None = None
    wrap_up: Law | None = None
    patience: Law | None = None
    balking: float = 0.0
    redial: Again | None = None
    resolved: float = 1.0
    repeat: Again | None = None
    bot: float = 0.0
    takes_callback: float = 0.0
    callback_from: int = 0
    callback_as: str = ""
    transfers: dict[str, float] = field(default_factory=dict)
    reply_after: Law | None = None
    answer_within_ms: int = 0
    priority: int = -1
    tiers: dict[str, float] = field(default_factory=dict)
    languages: dict[str, float] = field(default_factory=dict)
    backlog: int = 0
    closing: Closing = Closing.SERVED


@dataclass(frozen=True, kw_only=True)
class DayPart:
    """Give the part of the day that ends at `until` a busyness of its own (gamma, mean 1)."""

    __pydantic_config__ = _CLOSED

    until: str
    alpha: float


@dataclass(frozen=True, kw_only=True)
class Busyness:
    """Say how much days differ: a gamma factor of mean 1 and shape `alpha` (0: none differs).

    Var[N] = m + m^2 / alpha. Each demand has its factor; `correlation` (and `correlations`, for
    single pairs) is that of the normals behind them (a Gaussian copula); 1: one factor for all.
    """

    __pydantic_config__ = _CLOSED

    alpha: float = 0.0
    alphas: dict[str, float] = field(default_factory=dict)
    correlation: float = 1.0
    correlations: dict[str, dict[str, float]] = field(default_factory=dict)
    parts: tuple[DayPart, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Break:
    """Describe a break; agents of a shift start it evenly spread from `earliest` to `latest`."""

    __pydantic_config__ = _CLOSED

    earliest: str
    latest: str = ""
    length_ms: int


@dataclass(frozen=True, kw_only=True)
class Shift:
    """Describe a shift: who of the group works it (`count` 0: all that are left)."""

    __pydantic_config__ = _CLOSED

    start: str
    end: str
    count: int = 0
    breaks: tuple[Break, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RampUp:
    """Say how newcomers get faster: work takes `start` times as long, 1 after `weeks`."""

    __pydantic_config__ = _CLOSED

    weeks: float
    start: float


@dataclass(frozen=True, kw_only=True)
class Group:
    """Describe agents who are planned alike.

    `members` are agents of the centre; none: those of the centre's agent group, or team, of
    this name. `count` (0: as many as there are) cuts them down, or adds more like the last. A
    group that the centre does not know brings `team` and `skills` of its own.

    They work `shifts`, or as many of them as `staffed` says of each interval (when fewer are
    wanted, those go who are free first), or all day.
    `planned_absence` (training, holidays) takes an even share of them away, `unplanned_absence`
    (sickness) each with this probability. Of a shift a share 1 - `adherence` is lost in spells of
    `away_ms` on average. `declines` and `ignores` are shares of offers; `reaction` is the time
    until an offer is accepted. `weeks` in the job serves `ramp_up`. `pace` multiplies work, and
    `paces` that of single categories as well (0.75: done in three quarters of the time).
    `rate` names an entry of `costs.rates` ("": the cost group of the team).
    """

    __pydantic_config__ = _CLOSED

    members: tuple[str, ...] = ()
    count: int = 0
    team: str = ""
    skills: dict[str, int] = field(default_factory=dict)
    capacity: int = 100
    channel_max: dict[str, int] = field(default_factory=dict)
    shifts: tuple[Shift, ...] = ()
    staffed: tuple[int, ...] = ()
    leaving: Leaving = Leaving.FINISH
    planned_absence: float = 0.0
    unplanned_absence: float = 0.0
    adherence: float = 1.0
    away_ms: int = 300_000
    reaction: Law | None = None
    declines: float = 0.0
    ignores: float = 0.0
    pace: float = 1.0
    paces: dict[str, float] = field(default_factory=dict)
    weeks: float = 1_000.0
    ramp_up: RampUp | None = None
    turnover_per_year: float = 0.0
    rate: str = ""


@dataclass(frozen=True, kw_only=True)
class Effects:
    """Say how skill and concurrency bear on work.

    An agent whose mean level in a category's needs is l takes `1 - faster (l - 5.5) / 4.5` times
    as long, and settles `resolves (l - 5.5) / 4.5` more of the contacts. `speeds` of a channel:
    the speed at which an agent does each of his 1, 2, 3 ... contacts (the last holds for more).
    """

    __pydantic_config__ = _CLOSED

    faster: float = 0.0
    resolves: float = 0.0
    speeds: dict[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Say what an agent costs.

    An hour costs `per_hour`, or `salary_per_month` times 1 + `benefits` over `hours_per_month`.
    Overtime (after the shift) costs `overtime` times that. `per_contact` is paid for each one
    handled (outsourcing). Yearly and single costs of a head: `training_per_year`, and at each
    replacement `recruiting` and `training`. A seat costs `licence_per_month`.
    """

    __pydantic_config__ = _CLOSED

    per_hour: float = 0.0
    salary_per_month: float = 0.0
    benefits: float = 0.0
    hours_per_month: float = 160.0
    overtime: float = 1.0
    per_contact: float = 0.0
    training_per_year: float = 0.0
    recruiting: float = 0.0
    training: float = 0.0
    licence_per_month: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Say what things cost; `breach` by promise, `per_minute` of talk by channel.

    `days_per_month` spreads what is paid by the month over working days.
    """

    __pydantic_config__ = _CLOSED

    currency: str = "EUR"
    rates: dict[str, Rate] = field(default_factory=dict)
    breach: dict[str, float] = field(default_factory=dict)
    per_minute: dict[str, float] = field(default_factory=dict)
    fixed_per_month: dict[str, float] = field(default_factory=dict)
    once: dict[str, float] = field(default_factory=dict)
    days_per_month: float = 21.0


@dataclass(frozen=True, kw_only=True)
class Target:
    """Say what is promised: `percent` answered within `within_ms` (0: each queue's own time).

    `level` is the name of a service level in `router.measures_formulas`. It is met by a day
    whose own ratio reaches it. `abandoned_percent` is the most that may give up, and
    `each_interval` asks it of every interval of its own: both serve the search for staff.
    """

    __pydantic_config__ = _CLOSED

    percent: float = 80.0
    within_ms: int = 0
    level: str = "answered_in_time_over_offered_less_short"
    abandoned_percent: float = 100.0
    each_interval: bool = False


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Describe one kind of day whole: all that a simulation of it needs but the seed.

    The day opens at `opens` and closes at `closes` (after it nobody arrives), in intervals of
    `interval_ms`. Nobody stays longer than `overrun_ms` after closing. `outages` (of `SiteLost`)
    strike at known times. `targets` are those of single queues, where they differ from `target`.
    """

    __pydantic_config__ = _CLOSED

    name: str
    center: Center
    date: str
    zone: str = "UTC"
    opens: str = "08:00"
    closes: str = "18:00"
    interval_ms: int = 1_800_000
    overrun_ms: int = 7_200_000
    demand: dict[str, Demand]
    busyness: Busyness = Busyness()
    workforce: dict[str, Group] = field(default_factory=dict)
    effects: Effects = Effects()
    outages: tuple[SiteLost, ...] = ()
    costs: Costs = Costs()
    target: Target = Target()
    targets: dict[str, Target] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ScenarioFile(Scenario):
    """Describe a scenario as its file does.

    `center` is the directory of the centre, seen from the file. With `base`, another scenario
    file, only what differs is written: a name, and `changes`.
    """

    __pydantic_config__ = _CLOSED

    center: str = ""  # type: ignore[assignment]
    base: str = ""
    date: str = ""
    demand: dict[str, Demand] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
