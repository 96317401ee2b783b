"""Say when broken promises are worth an alarm: burn rates on the budget of a day.

A promise that is to be kept for 80 % of the contacts has a budget: 20 % of a day's contacts may
break it. An alert says that a share s of that budget is gone within a window L. With D, the open
minutes of a usual day,

    factor = s x D / L        threshold T = factor x (1 - objective)

and at a steady volume, after a quiet time, a breach ratio m > T fires at t = L x T / m, when
exactly the share s is spent, whatever m is. The factors of service objectives kept per month
(14.4, 6) ask here for more than every contact: at 80 % a ratio of 288 %.

- T above 0.9 is taken as 0.9; then less than s is spent when it fires (`share` says how much).
- factor below 1 would fire while the promise is kept: the pair is dropped.
- Few contacts break a promise by chance: `guard` is the smallest number such that from there on
  a queue exactly on its promise passes T with a probability of at most `Pair.chance` (binomial).
- A promise of more than ten minutes, or of working days, gets the ticket pair only.

Source of the idea: multiwindow, multi-burn-rate alerts, The Site Reliability Workbook, chapter 5.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import exp, floor, lgamma, log
from typing import Final

from router.center import ALWAYS, Center, ClockKind, Promise
from router.measures_promised import promised_pairs

SLOW_PROMISE_MS: Final = 600_000
THRESHOLD_MAX: Final = Fraction(9, 10)
TICKET_GUARD: Final = 60
_DAY_MINUTES: Final = 1_440
_MINUTE_MS: Final = 60_000
_GUARD_MAX: Final = 3_000
_STEADY: Final = 200
_ANSWERS: Final = (ClockKind.ANSWER, ClockKind.FIRST_RESPONSE)


@dataclass(frozen=True)
class Pair:
    """One alert: windows in minutes, the share of the day's budget, whom it wakes."""

    name: str
    alert: str
    long: int
    short: int
    share: Fraction
    chance: float
    severity: str


PAIRS: Final = (
    Pair("fast", "SwitchroomSlaBurnFast", 15, 5, Fraction(1, 10), 0.001, "page"),
    Pair("slow", "SwitchroomSlaBurnSlow", 60, 15, Fraction(1, 5), 0.01, "page"),
    Pair("ticket", "SwitchroomSlaBurnTicket", 180, 60, Fraction(3, 10), 0.01, "ticket"),
)


@dataclass(frozen=True)
class Burn:
    """One pair for one promise in one queue; `share` is spent when it fires."""

    queue: str
    sla: str
    pair: Pair
    team: str
    threshold: Fraction
    guard: int
    share: Fraction
    objective: int

    @property
    def capped(self) -> bool:
        """Whether the threshold is lower than the arithmetic asks for."""
        return self.share < self.pair.share

    def fires_after(self, breached: Fraction) -> Fraction:
        """Return after how many minutes of a breach ratio above the threshold it fires."""
        return self.pair.long * self.threshold / breached


@dataclass(frozen=True)
class Stall:
    """After how many seconds a waiting contact, and nobody answered, means that a queue stands."""

    queue: str
    team: str
    limit_s: int
    slow: bool


@dataclass(frozen=True)
class AlertPlan:
    """All alerts of a centre, and what of the arithmetic was not possible, in words."""

    burns: tuple[Burn, ...]
    stalls: tuple[Stall, ...]
    notes: tuple[str, ...]


def plan_alerts(center: Center) -> AlertPlan:
    """Derive the alerts of a centre from its promises, queues and opening hours."""
    burns: list[Burn] = []
    notes: list[str] = []
    for queue, sla in promised_pairs(center):
        promise = center.promises[sla]
        budget = 100 - promise.objective_percent
        if not budget:
            notes.append(f"{queue}/{sla}: 100 % leaves no budget to burn; no burn alert")
            continue
        open_minutes = usual_open_minutes(center, queue, promise)
        for pair in PAIRS:
            if is_slow(promise) and pair.name != "ticket":
                continue
            found = _burn(center, queue, sla, pair, open_minutes)
            if isinstance(found, str):
                notes.append(f"{queue}/{sla}: {pair.name}: {found}")
                continue
            burns.append(found)
            if found.capped:
                notes.append(
                    f"{queue}/{sla}: {pair.name}: threshold {float(THRESHOLD_MAX):.2f}, not "
                    f"{float(_threshold(pair, open_minutes, budget)):.2f}: fires with "
                    f"{float(found.share):.1%} of the day's budget spent"
                )
    return AlertPlan(tuple(burns), tuple(_stalls(center)), tuple(notes))


def is_slow(promise: Promise) -> bool:
    """Tell whether a promise is too long for anybody to be woken by it."""
    return promise.target_ms > SLOW_PROMISE_MS or promise.target_working_days > 0


def team_of(center: Center, queue: str) -> str:
    """Return the team that a queue's alerts go to: the first that serves it."""
    return (*center.queues[queue].teams, *center.teams)[0]


def usual_open_minutes(center: Center, queue: str, promise: Promise) -> int:
    """Return the open minutes of the median open day of queue and promise, the fewer of both."""
    names = (center.queues[queue].calendar, promise.calendar)
    return min(_median_day(center, name) for name in names)


def _median_day(center: Center, name: str) -> int:
    calendar = center.calendars.get(name)
    if name in ("", ALWAYS) or calendar is None or not calendar.table.workdays_ms:
        return _DAY_MINUTES
    table = calendar.table
    starts = [start for start, _ in table.open_ms]
    days = []
    for first_ms, last_ms in table.workdays_ms:
        stretches = table.open_ms[bisect_left(starts, first_ms) : bisect_left(starts, last_ms)]
        days.append(sum(end - start for start, end in stretches) // _MINUTE_MS)
    return max(min(sorted(days)[len(days) // 2], _DAY_MINUTES), 1)


def _threshold(pair: Pair, open_minutes: int, budget: int) -> Fraction:
    return pair.share * open_minutes / pair.long * Fraction(budget, 100)


def _burn(center: Center, queue: str, sla: str, pair: Pair, open_minutes: int) -> Burn | str:
    objective = center.promises[sla].objective_percent
    budget = 100 - objective
    if pair.share * open_minutes < pair.long:
        return f"open {open_minutes} min a day, it would fire while the promise is kept; dropped"
    asked = _threshold(pair, open_minutes, budget)
    threshold = min(asked, THRESHOLD_MAX)
    guard = TICKET_GUARD
    if pair.name != "ticket":
        guard = least_contacts(budget, threshold, pair.chance)
        if not guard:
            return f"a threshold of {float(threshold):.2f} cannot be told from chance; dropped"
    share = pair.share * threshold / asked
    return Burn(queue, sla, pair, team_of(center, queue), threshold, guard, share, objective)


@lru_cache(maxsize=512)
def least_contacts(budget: int, threshold: Fraction, chance: float) -> int:
    """Return from how many contacts on a ratio above `threshold` is no chance, 0 if never.

    `budget` is the percent that break the promise of a queue exactly on it. The probability is a
    saw over the number, so the answer is one behind the last number that chance may pass.
    """
    last = quiet = 0
    for count in range(1, _GUARD_MAX):
        if _tail(count, floor(threshold * count) + 1, budget / 100) > chance:
            last, quiet = count, 0
        else:
            quiet += 1
            if quiet >= _STEADY:
                return last + 1
    return 0


def _tail(count: int, least: int, share: float) -> float:
    """Return the probability that of `count` at least `least` happen, each with `share`."""
    if least > count:
        return 0.0
    ways = lgamma(count + 1) - lgamma(least + 1) - lgamma(count - least + 1)
    term = exp(ways + least * log(share) + (count - least) * log(1 - share))
    total = term
    for number in range(least + 1, count + 1):
        term *= (count - number + 1) / number * share / (1 - share)
        total += term
        if term < total * 1e-12:
            break
    return total


def _stalls(center: Center) -> list[Stall]:
    """Make a limit a queue: twice the longest time in which somebody is promised an answer."""
    longest = {name: plan.service_level_ms for name, plan in center.queues.items()}
    for queue, sla in promised_pairs(center):
        promise = center.promises[sla]
        if promise.kind in _ANSWERS:
            longest[queue] = max(longest[queue], promise.target_ms)
    return [
        Stall(queue, team_of(center, queue), 2 * target_ms // 1_000, target_ms > SLOW_PROMISE_MS)
        for queue, target_ms in sorted(longest.items())
    ]
