"""The estimators, each held to a truth it must find: laws, hazards, profiles, busyness, returns.

Errors are tested with the estimates: a truth must lie within four standard errors, and over many
seeds about as often within two as a standard error promises.
"""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pytest

from simulation.fit.arrivals import fit_arrivals, group_days, kinds_of
from simulation.fit.busyness import correlate, fit_busyness, fit_parts
from simulation.fit.durations import LawName, fit_durations
from simulation.fit.figures import Array, Figure, share_of
from simulation.fit.handling import fit_paces, fit_speeds
from simulation.fit.history import CountTable, Ending, Visit
from simulation.fit.returns import fit_redials, fit_repeats
from simulation.fit.survival import fit_patience, kaplan_meier

MONDAY = date(2026, 1, 5)


def generator(seed: int) -> np.random.Generator:
    """Return a numbered stream of lots."""
    return np.random.Generator(np.random.PCG64(seed))


def near(figure: Figure, truth: float, errors: float = 4.0) -> bool:
    """Say whether a truth lies within some standard errors."""
    return math.isfinite(figure.error) and abs(figure.off(truth)) <= errors


def within_two(figures: list[tuple[Figure, float]]) -> float:
    """Return the share of truths within two standard errors."""
    return sum(near(figure, truth, 2.0) for figure, truth in figures) / len(figures)


# --- durations ------------------------------------------------------------------------------------

TRUTHS = {
    LawName.LOGNORMAL: (lambda g, n: g.lognormal(4.8, 0.94, n), {"mu": 4.8, "sigma": 0.94}),
    LawName.GAMMA: (lambda g, n: g.gamma(2.0, 90.0, n), {"shape": 2.0, "scale": 90.0}),
    LawName.WEIBULL: (lambda g, n: 200 * g.weibull(1.5, n), {"shape": 1.5, "scale": 200.0}),
    LawName.EXPONENTIAL: (lambda g, n: g.exponential(180.0, n), {"mean": 180.0}),
}


def censored(law: LawName, seed: int, size: int = 1_500) -> tuple[Array, Array]:
    """Draw durations, of which about a tenth are still open at the end."""
    lots = generator(seed)
    times = TRUTHS[law][0](lots, size)
    ends = lots.exponential(1_800.0, size)
    return times[times <= ends], ends[times > ends]


@pytest.mark.parametrize("law", list(LawName))
def test_a_law_is_found_with_its_parameters(law: LawName) -> None:
    fit = fit_durations(*censored(law, 5, 6_000))
    found = next(one for one in fit.laws if one.law is law)
    for name, truth in TRUTHS[law][1].items():
        assert near(found.parameters[name], truth), (name, found.parameters[name])
    if law is not LawName.EXPONENTIAL:  # which gamma and Weibull contain
        assert fit.best is found
    assert found.distance < 0.02


@pytest.mark.parametrize("law", list(LawName))
def test_errors_of_laws_are_as_large_as_they_say(law: LawName) -> None:
    figures = []
    for seed in range(25):
        fit = fit_durations(*censored(law, seed, 400))
        found = next(one for one in fit.laws if one.law is law)
        figures += [(found.parameters[name], truth) for name, truth in TRUTHS[law][1].items()]
    # About .95 of 25 (or 50, in pairs): .80 is three standard errors below.
    assert within_two(figures) >= 0.80


def test_open_durations_count_as_longer_ones() -> None:
    ended, still_open = censored(LawName.LOGNORMAL, 3, 4_000)
    truth = math.exp(4.8 + 0.94**2 / 2)
    with_open, without = fit_durations(ended, still_open), fit_durations(ended)
    assert with_open.best is not None
    assert without.best is not None
    assert near(with_open.best.mean_s, truth)
    assert without.best.mean_s.off(truth) < -4


def test_hanging_up_is_counted_and_bends_no_law() -> None:
    lots = generator(9)
    true = lots.lognormal(4.8, 0.94, 6_000)
    fit = fit_durations(np.concatenate([true, lots.uniform(1, 9, 400)]))
    assert fit.short == 400 + int((true < 10).sum())
    assert 10 < fit.short_expected < 60
    assert fit.best is not None
    assert fit.best.law is LawName.LOGNORMAL
    assert near(fit.best.parameters["mu"], 4.8)
    assert near(fit.best.parameters["sigma"], 0.94)


def test_few_durations_get_no_law() -> None:
    fit = fit_durations(np.array([30.0] * 10))
    assert fit.laws == ()
    assert fit.best is None
    assert fit.mean_s.value == 30.0


# --- patience -------------------------------------------------------------------------------------


def test_kaplan_meier_by_hand() -> None:
    # Kaplan & Meier's own example: deaths at .8, 3.1, 5.4, 9.2; losses at 1.0, 2.7, 7.0, 12.1.
    times = np.array([0.8, 1.0, 2.7, 3.1, 5.4, 7.0, 9.2, 12.1])
    ended = np.array([True, False, False, True, True, False, True, False])
    curve = kaplan_meier(times, ended)
    assert curve.survival == pytest.approx([0.875, 0.7, 0.525, 0.2625], abs=1e-12)
    # Greenwood at 3.1: S sqrt(1/(8 7) + 1/(5 4))
    assert curve.survival[1] * math.sqrt(curve.log_variance[1]) == pytest.approx(
        0.7 * math.sqrt(1 / 56 + 1 / 20)
    )
    assert math.isnan(curve.at(3.1).value)  # fewer than ten are left: not told


def test_exponential_patience_is_found_and_not_refuted() -> None:
    refuted, figures = 0, []
    for seed in range(30):
        lots = generator(seed)
        patience, wait = lots.exponential(120, 1_500), lots.exponential(60, 1_500)
        fit = fit_patience(np.minimum(patience, wait), patience <= wait)
        figures.append((fit.exponential_mean_s, 120.0))
        refuted += fit.exponential_p < 0.05
    assert within_two(figures) >= 0.83
    assert refuted <= 5


def test_a_falling_hazard_is_found_and_exponential_refuted() -> None:
    lots = generator(4)
    patience, wait = 200 * lots.weibull(0.7, 20_000), lots.exponential(100, 20_000)
    fit = fit_patience(np.minimum(patience, wait), patience <= wait)
    assert fit.exponential_p < 1e-6
    for time, figure in fit.survival.items():
        assert near(figure, math.exp(-((time / 200) ** 0.7)))
    for piece in fit.hazards:
        if math.isfinite(piece.to_s):
            # Between two ages the mean hazard over those still there lies between the ends'.
            low, high = (
                0.7 * (age / 200) ** -0.3 * 60 / 200 for age in (piece.to_s, piece.from_s or 1e-9)
            )
            assert low - 4 * piece.per_minute.error < piece.per_minute.value
            assert piece.per_minute.value < high + 4 * piece.per_minute.error


def test_who_leaves_at_once_balked() -> None:
    fit = fit_patience(np.array([0.0, 0.0, 5.0, 9.0]), np.array([True, False, True, False]))
    assert (fit.balked, fit.abandoned, fit.waits) == (1, 1, 2)
    assert fit.exponential_mean_s.value == pytest.approx(14.0)


# --- arrivals -------------------------------------------------------------------------------------

SHAPE = np.array([1, 3, 6, 6, 4, 4, 5, 7, 5, 4, 2, 1], dtype=np.float64)
SHAPE /= SHAPE.sum()


def draw_days(
    seed: int,
    weeks: int,
    *,
    alpha: float = 0.0,
    part_alpha: float = 0.0,
    mean: float = 400.0,
    monday: float = 1.3,
) -> CountTable:
    """Draw weekdays of two-hour intervals: Poisson times a factor a day and one a half day."""
    lots = generator(seed)
    days = [MONDAY + timedelta(days=n) for n in range(7 * weeks) if (MONDAY.weekday() + n) % 7 < 5]
    rows = []
    for day in days:
        level = mean * (monday if day.weekday() == 0 else 1.0)
        factor = lots.gamma(alpha, 1 / alpha) if alpha else 1.0
        halves = lots.gamma(part_alpha, 1 / part_alpha, 2) if part_alpha else np.ones(2)
        rows.append(lots.poisson(level * factor * SHAPE * np.repeat(halves, 6)))
    return CountTable(
        category="care",
        channel="phone",
        minutes=120,
        days=tuple(days),
        offered=np.array(rows, dtype=np.float64),
    )


def test_profiles_hold_the_truth() -> None:
    totals, intervals = [], []
    for seed in range(12):
        fit = fit_arrivals(draw_days(seed, 12, alpha=40))
        assert [profile.kind for profile in fit.profiles] == ["mon", "tue", "wed", "thu", "fri"]
        for profile in fit.profiles:
            mean = 400 * (1.3 if profile.kind == "mon" else 1.0)
            totals.append((profile.total, mean))
            intervals += [
                (figure, mean * part) for figure, part in zip(profile.intervals, SHAPE, strict=True)
            ]
    assert within_two(totals) >= 0.85
    assert within_two(intervals) >= 0.88
    assert all(near(figure, truth, 5.0) for figure, truth in totals + intervals)


def test_equal_shapes_are_pooled_and_different_ones_are_not() -> None:
    table = draw_days(1, 12)
    assert all(profile.pooled > 0.5 for profile in fit_arrivals(table).profiles)
    late = np.array([day.weekday() == 4 for day in table.days])
    offered = np.where(late[:, None], table.offered[:, ::-1], table.offered)
    other = CountTable(
        category="care", channel="phone", minutes=120, days=table.days, offered=offered
    )
    friday = fit_arrivals(other).profiles[-1]
    assert friday.pooled < 0.1
    assert near(friday.intervals[1], 400 * SHAPE[10])


def test_poisson_given_the_total_is_tested() -> None:
    # One factor a day leaves the shape of the day alone; a factor a half day does not.
    refuted = [
        fit_arrivals(draw_days(seed, 8, alpha=20)).poisson.p_value < 0.05 for seed in range(20)
    ]
    assert sum(refuted) <= 4
    assert fit_arrivals(draw_days(1, 8, alpha=20, part_alpha=30)).poisson.p_value < 1e-6


def test_holidays_are_a_kind_of_day_and_closed_days_none() -> None:
    table = draw_days(2, 6)
    offered = table.offered.copy()
    offered[7] = np.round(offered[7] / 10)
    offered[12] = 0
    holiday = table.days[7]
    fit = fit_arrivals(
        CountTable(category="a", channel="phone", minutes=120, days=table.days, offered=offered),
        frozenset({holiday}),
    )
    assert fit.profiles[-1].kind == "holiday"
    assert fit.profiles[-1].days == 1
    assert fit.profiles[-1].total.value < 60
    assert fit.closed_days == 1


@pytest.mark.parametrize("alpha", [8.0, 30.0, 120.0])
def test_alpha_is_found(alpha: float) -> None:
    figures = []
    for seed in range(40):
        table = draw_days(seed, 16, alpha=alpha, mean=800)
        groups = group_days(kinds_of(table.days, frozenset()))
        busyness = fit_busyness(table.totals, groups)
        assert busyness.p_value < 1e-3
        figures.append((busyness.alpha, alpha))
    # log alpha is nearer to normal: both ways of being off by two errors
    assert within_two(figures) >= 0.85
    logs = [math.log(figure.value / truth) for figure, truth in figures]
    assert abs(float(np.mean(logs))) < 4 * float(np.std(logs)) / math.sqrt(len(logs))


def test_poisson_days_have_no_busyness() -> None:
    found = [
        fit_busyness(table.totals, group_days(kinds_of(table.days, frozenset()))).p_value < 0.05
        for table in (draw_days(seed, 12) for seed in range(30))
    ]
    assert sum(found) <= 5


def test_parts_of_the_day_are_told_from_the_day() -> None:
    common, own = [], []
    for seed in range(20):
        table = draw_days(seed, 40, alpha=50, part_alpha=80, mean=2_000)
        groups = group_days(kinds_of(table.days, frozenset()))
        parts = fit_parts(table.offered, 120, groups, table.days)
        assert parts is not None
        common.append((parts.day, 1 / 50))
        own.append((parts.part, 1 / 80))
    # The cut falls where half of the contacts have come, which is where the halves meet.
    assert within_two(common) >= 0.8
    assert all(near(figure, truth, 5) for figure, truth in common)
    assert sum(figure.value for figure, _ in own) / 20 == pytest.approx(1 / 80, rel=0.25)


def test_sources_that_move_together_correlate() -> None:
    lots = generator(8)
    days = tuple(MONDAY + timedelta(days=7 * n) for n in range(120))
    groups = group_days(kinds_of(days, frozenset()))
    shared = lots.gamma(40, 1 / 40, 120)
    alone = lots.gamma(40, 1 / 40, 120)
    one = lots.poisson(900 * shared).astype(np.float64)
    assert near(correlate(one, lots.poisson(500 * shared).astype(np.float64), groups), 1.0)
    assert near(correlate(one, lots.poisson(500 * alone).astype(np.float64), groups), 0.0)


# --- what customers and agents do -----------------------------------------------------------------


def visit(arrived_s: float, **more: object) -> Visit:
    """Make a visit."""
    return Visit(
        arrived_ms=round(1000 * arrived_s),
        category="care",
        channel="phone",
        queue="care",
        **more,  # type: ignore[arg-type]
    )


def test_redials_are_found_beside_chance() -> None:
    lots = generator(6)
    visits = []
    for number in range(3_000):
        at = number * 60.0
        customer = f"c{number}"
        visits.append(visit(at, ending=Ending.ABANDONED, wait_s=30.0, customer=customer))
        if lots.uniform() < 0.4:
            later = at + 30 + lots.exponential(300)
            visits.append(visit(later, ending=Ending.ANSWERED, wait_s=0.0, customer=customer))
    fit = fit_redials(visits, round(1000 * 3_100 * 60.0))
    assert fit is not None
    assert near(fit.share, 0.4)
    assert fit.delay.best is not None
    assert near(fit.delay.best.mean_s, 300)
    assert fit.by_chance.value == 0.0


def test_repeats_are_of_the_same_category() -> None:
    served = {"ending": Ending.ANSWERED, "wait_s": 0.0, "handle_s": 100.0}
    visits = [visit(1_000 * n, customer=f"c{n // 2}", **served) for n in range(10)]
    fit = fit_repeats(visits, 20_000_000)
    assert fit is not None
    assert fit.asked == 10
    assert fit.share.value == pytest.approx(0.5)


def test_speeds_beside_other_chats_are_found() -> None:
    lots = generator(11)
    speeds = (1.0, 0.8, 0.6)
    visits = []
    for _ in range(3_000):
        work = lots.lognormal(5.5, 0.7)
        shared, spent, last = [0.0, 0.0, 0.0], 0.0, 0
        while spent < work:
            last = int(lots.integers(3))
            seconds = min(lots.exponential(150), (work - spent) / speeds[last])
            shared[last] += seconds
            spent += seconds * speeds[last]
        visits.append(
            visit(
                0, ending=Ending.ANSWERED, handle_s=sum(shared), shared_s=tuple(shared),
                shared_last=last + 1,
            )
        )  # fmt: skip
    found = fit_speeds(visits)
    assert len(found) == 3
    assert near(found[1], 0.8)
    assert near(found[2], 0.6)


def test_agents_differ_by_their_pace() -> None:
    lots = generator(12)
    visits = [
        visit(0, ending=Ending.ANSWERED, agent=f"a{agent:02d}", handle_s=pace * work)
        for agent, pace in enumerate(np.exp(lots.normal(0, 0.25, 40)))
        for work in lots.lognormal(5, 0.8, 150)
    ]
    fit = fit_paces(visits, {})
    assert fit is not None
    assert near(fit.spread, 0.25)
    same = [
        visit(0, ending=Ending.ANSWERED, agent=one.agent, handle_s=w)
        for one, w in zip(visits, lots.lognormal(5, 0.8, len(visits)), strict=True)
    ]
    alike = fit_paces(same, {})
    assert alike is not None
    assert alike.spread.value < 0.06


def test_a_share_of_nothing_is_not_certain() -> None:
    assert share_of(0, 50).error > 0.02
    assert math.isnan(share_of(0, 0).value)


def test_figures_show_two_digits_of_their_error() -> None:
    assert str(Figure(123.456, 2.34)) == "123.5 ± 2.3"
    assert str(Figure(0.12345, 0.00234)) == "0.1235 ± 0.0023"
    assert str(Figure(1234.5, 123.4)) == "1234 ± 123"
    assert str(Figure(math.nan)) == "none"
