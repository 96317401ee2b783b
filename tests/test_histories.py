"""Real histories, where somebody has them: the published shapes are found, and intervals hold.

`SWITCHROOM_HISTORIES` names a directory with `anonymous_bank_1999_counts_6min.csv` (Brown et al.,
JASA 2005) and `bank_calls_5min_2003.csv` (Weinberg, Brown & Stroud, JASA 2007), and, if it is
there, `data_anonymous_bank_february.txt`, the calls of February 1999 one by one. They are not ours
to pass on, so without them there is nothing to run.
"""

from __future__ import annotations

import csv
import os
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest

from configs.planning import Busyness, DayPart, Demand, Group, Law, LawName, Scenario
from router.center import Agent, Category, Center, Channel, Queue, Team
from simulation.fit.arrivals import fit_arrivals, group_days, kinds_of, open_days
from simulation.fit.busyness import fit_busyness, fit_parts
from simulation.fit.durations import fit_durations
from simulation.fit.figures import Array
from simulation.fit.fitting import fit_history
from simulation.fit.forecasting import Forecaster
from simulation.fit.history import CountTable, Ending, History, Visit
from simulation.fit.returns import fit_redials
from simulation.fit.survival import fit_patience
from simulation.plan.replications import play_days
from simulation.plan.tallies import Count

FOLDER = Path(os.environ.get("SWITCHROOM_HISTORIES", "-"))
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="SWITCHROOM_HISTORIES names no directory of histories"
)


def read_1999() -> CountTable:
    """Return Sundays to Thursdays of 1999: a row a day, 240 intervals of six minutes."""
    with (FOLDER / "anonymous_bank_1999_counts_6min.csv").open() as lines:
        rows = list(csv.reader(lines))[1:]
    table = CountTable(
        category="bank",
        channel="phone",
        minutes=6,
        days=tuple(date.fromisoformat(row[0]) for row in rows),
        offered=np.array([[float(cell) for cell in row[1:]] for row in rows]),
    )
    return table.select(np.array([day.weekday() not in {4, 5} for day in table.days]))


def read_2003() -> CountTable:
    """Return 164 weekdays of 2003 in intervals of five minutes."""
    found: dict[date, Array] = {}
    with (FOLDER / "bank_calls_5min_2003.csv").open() as lines:
        for row in csv.DictReader(lines):
            at = datetime.fromisoformat(row["DateTime"])
            day = found.setdefault(at.date(), np.zeros(288))
            day[(at.hour * 60 + at.minute) // 5] += float(row["Calls"])
    return CountTable(
        category="bank",
        channel="phone",
        minutes=5,
        days=tuple(found),
        offered=np.array(list(found.values())),
    )


def alphas(table: CountTable) -> dict[str, tuple[float, float]]:
    """Return alpha by likelihood and by moments for each weekday."""
    found = {}
    for kind, rows in group_days(kinds_of(table.days, frozenset())).items():
        totals = table.totals[rows]
        excess = totals.var(ddof=1) - totals.mean()
        likely = fit_busyness(totals, {kind: np.arange(len(rows))}).alpha.value
        found[kind] = (likely, float(totals.mean() ** 2 / excess))
    return found


def test_1999_has_its_published_shape() -> None:
    table = read_1999()
    fit = fit_arrivals(table)
    totals = [profile.total.value for profile in fit.profiles]
    assert (round(min(totals)), round(max(totals))) == (1497, 1629)
    low, _, high = fit.hourly_dispersion
    assert 5.5 < low < 7
    assert 17 < high < 19
    assert fit.poisson.p_value < 1e-10
    moments = [by_moments for _, by_moments in alphas(table).values()]
    assert min(moments) > 14.5
    assert max(moments) < 20
    # Days nobody called the holidays they were weigh more in the likelihood: 9 to 10.
    assert all(8 < likely < 11 for likely, _ in alphas(table).values())


def test_2003_has_its_published_shape() -> None:
    table = read_2003()
    fit = fit_arrivals(table)
    totals = {profile.kind: round(profile.total.value) for profile in fit.profiles}
    assert totals["mon"] == 36_424
    assert totals["wed"] == 30_798
    half_hours = fit_arrivals(table.coarser(30)).hourly_dispersion
    assert half_hours[0] > 6
    assert half_hours[2] < 22
    likely = [likely for likely, _ in alphas(table).values()]
    assert min(likely) > 135
    assert max(likely) < 390
    counted = open_days(table)
    groups = group_days(kinds_of(counted.days, frozenset()))
    parts = fit_parts(counted.offered, 5, groups, counted.days)
    assert parts is not None
    assert parts.correlation.value == pytest.approx(0.73, abs=0.04)
    assert parts.lag_one.value == pytest.approx(0.63, abs=0.04)
    assert parts.part.off(0) > 4  # one factor a day does not tell the whole story


@pytest.mark.parametrize("read", [read_1999, read_2003])
@pytest.mark.parametrize("ahead", [1, 2, 3, 5, 7, 10, 15, 20])
def test_the_volume_of_days_ahead_lies_in_its_interval(read: object, ahead: int) -> None:
    assert callable(read)
    table = read()
    judged = Forecaster(table.days, table.totals).judge(ahead)
    assert judged is not None
    assert judged.days > 100
    assert 0.87 <= judged.covered.value <= 0.93
    assert judged.error < judged.naive


@pytest.mark.skipif(
    not (FOLDER / "data_anonymous_bank_february.txt").is_file(), reason="no calls one by one"
)
def test_february_1999_has_its_published_laws() -> None:
    visits = list(read_february())
    end_ms = max(visit.arrived_ms for visit in visits)
    patience = fit_patience(
        np.array([visit.wait_s for visit in visits], dtype=np.float64),
        np.array([visit.ending is Ending.ABANDONED for visit in visits]),
        (0.0, 5.0, 10.0, 15.0, 30.0, 55.0, 75.0, 180.0, 300.0),
    )
    curve = {time: round(figure.value, 3) for time, figure in patience.survival.items()}
    assert curve == {30.0: 0.900, 60.0: 0.821, 120.0: 0.711, 300.0: 0.487}
    hazards = [round(piece.per_minute.value, 2) for piece in patience.hazards]
    assert hazards[:8] == [0.16, 0.28, 0.26, 0.19, 0.17, 0.20, 0.14, 0.12]
    assert patience.exponential_p < 1e-10
    redials = fit_redials(visits, end_ms, 43_200.0)
    assert redials is not None
    shares = [figure.value for figure in redials.within.values()]
    assert shares == pytest.approx([0.27, 0.48, 0.63], abs=0.006)
    handled = np.array([visit.handle_s for visit in visits if visit.handle_s is not None])
    handling = fit_durations(handled)
    assert handling.best is not None
    assert handling.best.law.value == "lognormal"
    assert handling.best.parameters["mu"].value == pytest.approx(4.797, abs=0.04)
    assert handling.best.parameters["sigma"].value == pytest.approx(0.940, abs=0.04)
    assert handling.short > 10 * handling.short_expected  # agents hanging up


def read_february() -> Iterator[Visit]:
    """Yield the calls that wanted an agent; what was no call is left out."""
    with (FOLDER / "data_anonymous_bank_february.txt").open() as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            if row["outcome"] not in {"AGENT", "HANG"}:
                continue
            day = f"1999-02-{row['date'][4:6]}"
            arrived = datetime.fromisoformat(f"{day}T{row['vru_exit']:0>8}+02:00")
            answered = row["outcome"] == "AGENT"
            known = row["customer_id"].strip()
            yield Visit(
                arrived_ms=round(arrived.timestamp() * 1000),
                category="bank",
                channel="phone",
                queue="bank",
                ending=Ending.ANSWERED if answered else Ending.ABANDONED,
                wait_s=float(row["q_time"]),
                handle_s=float(row["ser_time"]) if answered else None,
                customer="" if known == "0" else known,
            )


# --- the service level of the next day ------------------------------------------------------------

OPENS, CLOSES, MINUTES = 7, 24, 30


def bank(per_interval: Array) -> Scenario:
    """Return a day of one queue, staffed for these mean counts with a square-root margin."""
    handle = Law(law=LawName.LOGNORMAL, mean_ms=188_000, cv=1.2)
    load = per_interval * 188 / (MINUTES * 60)
    staffed = tuple(int(np.ceil(a + 0.9 * np.sqrt(a))) for a in load)
    center = Center(
        name="bank",
        version=1,
        channels={"phone": Channel(auto_accept=True)},
        skills=(),
        queues={"bank": Queue(service_level_ms=60_000)},
        categories={"bank": Category(queue="bank")},
        teams={"bank": Team()},
        agents={f"a{number:03d}": Agent(team="bank") for number in range(max(staffed))},
    )
    calls = Demand(
        category="bank",
        channel="phone",
        handle=handle,
        patience=Law(mean_ms=420_000),
        per_interval=tuple(per_interval.tolist()),
    )
    return Scenario(
        name="bank",
        center=center,
        date="1999-06-01",
        opens=f"{OPENS:02d}:00",
        closes=f"{CLOSES:02d}:00",
        interval_ms=MINUTES * 60_000,
        demand={"calls": calls},
        workforce={"bank": Group(staffed=staffed)},
    )


def service_levels(scenario: Scenario, days: int, seed: int) -> list[float]:
    """Play days and return each day's answered in time over offered less short abandonments."""
    tallies = play_days(pickle.dumps(scenario), seed, 0, days, 1)
    found = []
    for tally in tallies:
        counts = tally.counts.sum(axis=(0, 1))
        offered = counts[Count.ARRIVED] - counts[Count.SHORT]
        found.append(float(counts[Count.IN_TIME] / offered))
    return found


def offsets(counts: Array, minutes: int, lots: np.random.Generator) -> tuple[int, ...]:
    """Return instants after opening that have these counts, evenly spread within intervals."""
    width = minutes * 60_000
    starts = np.repeat(np.arange(len(counts)) * width, counts.astype(int))
    instants = np.sort(starts + lots.uniform(0, width, len(starts))) - OPENS * 3_600_000
    inside = instants[(instants >= 0) & (instants < (CLOSES - OPENS) * 3_600_000)]
    return tuple(int(instant) for instant in inside)


def predicted(
    grid: Sequence[Sequence[float]], volumes: Array, ratios: Array
) -> tuple[float, float]:
    """Return the 90 % interval of a service level: past errors' volumes through the grid."""
    nearest = np.abs(volumes[None, :] - ratios[:, None]).argmin(axis=1)
    drawn = np.concatenate([np.array(grid[index]) for index in nearest])
    low, high = np.quantile(drawn, [0.05, 0.95])
    return float(low), float(high)


@pytest.mark.slow
def test_the_next_days_service_level_lies_in_its_interval() -> None:
    """Goal: the 90 % interval holds on 85 to 95 % of the days left out of what it is made of."""
    every = int(os.environ.get("SWITCHROOM_EVERY_DAY", "4"))
    table = read_1999()
    half_hours = table.coarser(MINUTES).offered[:, OPENS * 2 :]
    mean = half_hours.mean(axis=0)
    scenario = bank(mean)
    fit = fit_history(History(source="1999", zone="UTC", tables=(table,)))
    assert fit.parts is not None
    alpha = 1 / fit.parts.part.value
    noon = f"{fit.parts.split_minute // 60:02d}:{fit.parts.split_minute % 60:02d}"
    parts = Busyness(parts=(DayPart(until=noon, alpha=alpha), DayPart(until="24:00", alpha=alpha)))
    volumes = np.geomspace(0.3, 2.0, 24)
    grid = [
        service_levels(
            replace(
                scenario,
                busyness=parts,
                demand={"calls": replace(scenario.demand["calls"], factor=float(volume))},
            ),
            12,
            number,
        )
        for number, volume in enumerate(volumes)
    ]
    forecaster = Forecaster(table.days, table.totals)
    lots = np.random.Generator(np.random.PCG64(1))
    hits = days = 0
    for now in range(40, len(forecaster.days), every):
        expected, ratios = forecaster.next_day(now)
        low, high = predicted(grid, volumes, expected * ratios / table.totals.mean())
        row = table.days.index(forecaster.days[now])
        calls = replace(
            scenario.demand["calls"],
            per_interval=(),
            arrivals_ms=offsets(table.offered[row], 6, lots),
        )
        actual = service_levels(replace(scenario, demand={"calls": calls}), 1, 1_000 + now)[0]
        days += 1
        hits += low - 1e-9 <= actual <= high + 1e-9
    print(f"service level of the next day: {hits} of {days} days within the 90 % interval")  # noqa: T201
    assert 0.85 - 2 * np.sqrt(0.09 / days) <= hits / days <= 0.95 + 2 * np.sqrt(0.09 / days)
