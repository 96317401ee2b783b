"""Tune routing on paired days: settings of the live core, and which of them nothing beats.

A setting gives some values of the centre file (reserves, weights, queue shares, priorities) by
their paths; every setting meets the same customers. What is compared is what each line misses: the
share not answered in time, or who gave up. A setting is beaten when another is surely no worse for
every line and better for one (paired t); it is dropped as soon as that shows. What is left is the
Pareto front (Chan, Koole & L'Ecuyer, M&SOM 16, 2014, search weights the same way).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, TypeAlias

from scipy import special

from configs.planning import Scenario
from router.center import ContactPolicy
from router.checks import config_hash
from simulation.phrases import Phrase
from simulation.plan.changes import ChangeError, replace_at
from simulation.plan.checks import check_scenario
from simulation.plan.estimates import Floats
from simulation.plan.prepared import Prepared
from simulation.plan.replications import Workers
from simulation.plan.requirement import lines_of
from simulation.staffing.deadline import Deadline, NothingFoundError, TimeUpError
from simulation.staffing.needs import Need, controls_of, is_judged, needs_of
from simulation.staffing.plays import LivePlays, Plays
from simulation.staffing.spaces import Plan
from simulation.staffing.trials import Margin, margin

Value: TypeAlias = str | int | float | bool

SETTINGS_MAX: Final = 200
_GLANCE_DAYS: Final = 6
_TELL_EACH: Final = 5
_SURE: Final = 0.99


@dataclass(frozen=True)
class Knob:
    """One value of the centre that may be set: its path and what it may be."""

    path: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Reached:
    """What a line misses under a setting, with its standard error, and the change from today's.

    `change_low` and `change_high` are the 95 % interval of the paired difference.
    """

    line: str
    measure: str
    missed: float
    error: float
    change: float
    change_low: float
    change_high: float


@dataclass(frozen=True)
class Setting:
    """One setting that was played, and whether it stands on the front."""

    values: dict[str, Value]
    today: bool
    front: bool
    days: int
    reached: tuple[Reached, ...]
    yaml: str


@dataclass(frozen=True)
class Tuning:
    """All settings that were played, today's first, then the front; those of equal days once.

    `dropped` as surely beaten; `alike`: left out, since every day goes as under another one;
    `untried`, since the search was stopped before.
    """

    sentence: str
    scenario: str
    center: str
    config_hash: str
    seed: int
    days: int
    days_played: int
    settings: tuple[Setting, ...]
    dropped: int
    alike: int = 0
    untried: int = 0


def usual_knobs(scenario: Scenario) -> tuple[Knob, ...]:
    """Return what is worth trying: reserves, and the weights that the contact policy reads."""
    prepared = Prepared(scenario)
    queues = list(
        dict.fromkeys(line.queue for line in lines_of(prepared) if is_judged(scenario, line))
    )
    knobs = [Knob(f"center.queues.{queue}.reserve", (0, 1, 2)) for queue in queues]
    policy = scenario.center.contact_policy
    weights = {
        ContactPolicy.LONGEST_WEIGHTED_WAIT: "wait_weight",
        ContactPolicy.GENERALIZED_C_MU: "wait_weight",
        ContactPolicy.FIXED_QUEUE_RATIO: "queue_share",
    }
    if policy in weights:
        knobs += [Knob(f"center.queues.{queue}.{weights[policy]}", (1, 2, 4)) for queue in queues]
    return tuple(knobs)


def tune(
    scenario: Scenario,
    knobs: Sequence[Knob],
    crew: Workers,
    seed: int,
    days: int,
    deadline: Deadline | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Tuning:
    """Play settings and return those that nothing beats; raises `ChangeError` for a wrong one.

    All combinations where there are at most `SETTINGS_MAX`, else today's with one knob turned.
    When the time is up, it is about the settings played by then, on the days that all of them have.
    Raises `NothingFoundError` where there is none besides today's.
    """
    needs = _objectives(scenario)
    today: Plan = (-1,) * len(knobs)

    def made(plan: Plan) -> Scenario:
        changed = scenario
        for knob, choice in zip(knobs, plan, strict=True):
            if choice >= 0:
                changed = replace_at(changed, knob.path, knob.values[choice])
        return changed

    plays = LivePlays(made, crew, seed, deadline)
    left = [today, *_settings(scenario, knobs, made)]
    count = len(left)
    left, played, untried, early = _race(plays, left, needs, days, tell)
    stayed = len(left)
    left = _unlike(left, plays, played)
    front = [plan for plan in left if not _beaten(plan, left, plays, needs, played)]
    settings = tuple(
        _setting(plan, today, knobs, plays, needs, played, front=plan in front)
        for plan in sorted(left, key=lambda plan: (plan != today, plan not in front, plan))
    )
    answer = sentence_of(front, today)
    return Tuning(
        sentence=Phrase("{answer}{early}", answer=answer, early=early) if early else answer,
        scenario=scenario.name,
        center=scenario.center.name,
        config_hash=config_hash(scenario.center),
        seed=seed,
        days=played,
        days_played=plays.played,
        settings=settings,
        dropped=count - stayed - untried,
        alike=stayed - len(left),
        untried=untried,
    )


def _race(
    plays: LivePlays,
    plans: Sequence[Plan],
    needs: Sequence[Need],
    days: int,
    tell: Callable[[str], None],
) -> tuple[list[Plan], int, int, str]:
    """Play settings in rounds, and drop those that are surely beaten but the first, today's.

    Returns those left, the days that they have, how many were not tried, and what to say of that.
    """
    left, today = list(plans), plans[0]
    played, untried = min(_GLANCE_DAYS, days), 0
    early: str = ""
    for wanted in _rounds(days):
        try:
            for number, plan in enumerate(left):
                if number % _TELL_EACH == 0:
                    tell(f"{number} of {len(left)} settings played, {wanted} days each")
                plays.study(plan, wanted)
            played = wanted
        except TimeUpError:
            there = [plan for plan in left if plays.days(plan) >= played]
            untried = len(left) - len(there)
            left, early = there, _stopped(untried, played)
        if len(left) < 2 and untried:
            raise NothingFoundError("no setting besides today's was played yet")
        missed = {plan: _missed(plays, plan, needs, played) for plan in left}
        left = [
            plan
            for plan in left
            if plan == today
            or not any(_beats(missed[other], missed[plan]) for other in left if other != plan)
        ]
        if early:
            break
    return left, played, untried, early


def _rounds(days: int) -> Iterator[int]:
    """Yield how many days a setting has after each round: ever twice as many, up to all."""
    played = min(_GLANCE_DAYS, days)
    yield played
    while played < days:
        played = min(days, 2 * played)
        yield played


def _objectives(scenario: Scenario) -> tuple[Need, ...]:
    """Return one need a line: its level where a percentage is asked, else who gave up."""
    first: dict[int, Need] = {}
    for need in needs_of(Prepared(scenario)):
        first.setdefault(need.line, need)
    return tuple(first.values())


def _settings(
    scenario: Scenario, knobs: Sequence[Knob], made: Callable[[Plan], Scenario]
) -> list[Plan]:
    """Return the settings that say something else than today's; raises `ChangeError`."""
    sizes = [range(len(knob.values)) for knob in knobs]
    plans: list[Plan]
    if math.prod(len(size) for size in sizes) <= SETTINGS_MAX:
        plans = list(product(*sizes))
    else:
        plans = [
            tuple(choice if place == index else -1 for place in range(len(sizes)))
            for index, size in enumerate(sizes)
            for choice in size
        ]
    plans = [plan for plan in plans if made(plan).center != scenario.center]
    for plan in plans:
        for problem in check_scenario(made(plan)):
            values = ", ".join(f"{path}={value}" for path, value in _values(plan, knobs).items())
            raise ChangeError(f"{values}: {problem.text()}")
    return plans


def _values(plan: Plan, knobs: Sequence[Knob]) -> dict[str, Value]:
    return {
        knob.path: knob.values[choice]
        for knob, choice in zip(knobs, plan, strict=True)
        if choice >= 0
    }


def _unlike(plans: Sequence[Plan], plays: Plays, days: int) -> list[Plan]:
    """Leave out settings under which every day goes as under an earlier one."""
    known: dict[bytes, Plan] = {}
    for plan in plans:
        known.setdefault(plays.study(plan, days).counts.tobytes(), plan)
    return list(known.values())


def _missed(plays: Plays, plan: Plan, needs: Sequence[Need], days: int) -> list[Floats]:
    """Return what each line misses on each day, beyond what its target allows."""
    study = plays.study(plan, days)
    return [-need.surplus(study) for need in needs]


def _beats(ours: list[Floats], theirs: list[Floats]) -> bool:
    """Say whether one setting is surely no worse for every line, and surely better for one."""
    better = False
    for mine, other in zip(ours, theirs, strict=True):
        pairs = other - mine
        days = len(pairs)
        error = float(pairs.std(ddof=1)) / math.sqrt(days)
        reach = float(special.stdtrit(days - 1, _SURE)) * error
        if pairs.mean() - reach < 0 and (error or pairs.mean() < 0):
            return False
        better |= bool(pairs.mean() - reach > 0)
    return better


def _beaten(
    plan: Plan, others: Sequence[Plan], plays: Plays, needs: Sequence[Need], days: int
) -> bool:
    """Say whether another setting misses less on average for every line (or as little)."""
    mine = [part.mean() for part in _missed(plays, plan, needs, days)]
    for other in others:
        theirs = [part.mean() for part in _missed(plays, other, needs, days)]
        no_worse = all(a <= b for a, b in zip(theirs, mine, strict=True))
        if other != plan and no_worse and theirs != mine:
            return True
    return False


def _setting(
    plan: Plan,
    today: Plan,
    knobs: Sequence[Knob],
    plays: Plays,
    needs: Sequence[Need],
    days: int,
    *,
    front: bool,
) -> Setting:
    values = _values(plan, knobs)
    return Setting(
        values=values,
        today=plan == today,
        front=front,
        days=days,
        reached=tuple(_reached(plays, plan, today, need, days) for need in needs),
        yaml=as_yaml(values),
    )


def _reached(plays: Plays, plan: Plan, today: Plan, need: Need, days: int) -> Reached:
    study, before = plays.study(plan, days), plays.study(today, days)
    whole = max(float(need.counts(study)[1].sum()), 1e-9)
    factor = need.scale(study) * study.days / whole
    own: Margin = margin(need.surplus(study), controls_of(study, need))
    pairs: Margin = margin(need.surplus(before) - need.surplus(study), controls_of(before, need))
    allowed = need.share if need.lost else 1 - need.share
    reach = float(special.stdtrit(pairs.freedom, 0.975)) * pairs.error * factor
    return Reached(
        line=need.name,
        measure="gave up" if need.lost else "not in time",
        missed=allowed - own.mean * factor,
        error=own.error * factor,
        change=pairs.mean * factor,
        change_low=pairs.mean * factor - reach,
        change_high=pairs.mean * factor + reach,
    )


def sentence_of(front: Sequence[Plan], today: Plan) -> str:
    """Answer in one sentence: how many settings nothing beats, and if today's is one of them."""
    count = len(front)
    if today in front and count == 1:
        return Phrase("Nothing that was tried beats today's settings, for any line.")
    today_too = Phrase("today's is one of them") if today in front else Phrase("today's is beaten")
    if count == 1:
        return Phrase(
            "One setting stands alone on the front: none that was tried is better for any line; "
            "{today}.",
            today=today_too,
        )
    return Phrase(
        "{count} settings stand on the front: none is better for one line without a loss for "
        "another; {today}.",
        count=count, today=today_too,
    )  # fmt: skip


def _stopped(untried: int, days: int) -> str:
    if untried:
        return Phrase(
            " The search was stopped: {untried} of the settings were not tried.", untried=untried
        )
    return Phrase(
        " The search was stopped: each setting was played on {days} days only.", days=days
    )


def as_yaml(values: dict[str, Value]) -> str:
    """Return settings as they stand in a centre file."""
    tree: dict[str, object] = {}
    for path, value in values.items():
        node = tree
        *names, last = path.removeprefix("center.").split(".")
        for name in names:
            node = node.setdefault(name, {})  # type: ignore[assignment]
        node[last] = value
    return "\n".join(_yaml_lines(tree, 0))


def _yaml_lines(tree: dict[str, object], depth: int) -> list[str]:
    lines = []
    for name, value in tree.items():
        if isinstance(value, dict):
            lines += [f"{'  ' * depth}{name}:", *_yaml_lines(value, depth + 1)]
        else:
            shown = str(value).lower() if isinstance(value, bool) else value
            lines.append(f"{'  ' * depth}{name}: {shown}")
    return lines
