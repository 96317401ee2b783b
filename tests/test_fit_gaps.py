"""Histories with holes: absent rows and days, a day unlike others, unknown handle times."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from simulation.fit.fitting import Fit, fit_history
from simulation.fit.history import History
from simulation.fit.overview import absent_days, gaps
from simulation.fit.planning_files import Options
from simulation.fit.reading import Reading, read_history
from simulation.fit.showing import as_text
from simulation.fit.tables import TableError

HISTORY = Path("configs/scenarios/history.csv").resolve()
ZONE = "Europe/Madrid"
Row = dict[str, str]


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., History]:
    """Return what reads the shipped history after a change of its rows."""

    def make(change: Callable[[Row], Row | None], **options: object) -> History:
        with HISTORY.open(encoding="utf-8") as stream:
            rows = [found for row in csv.DictReader(stream) if (found := change(row)) is not None]
        path = tmp_path / "history.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return read_history(path, Reading(options=Options(zone=ZONE), **options))  # type: ignore[arg-type]

    return make


def on(row: Row, start: str) -> bool:
    return row["interval_start"].startswith(start)


def alpha(fit: Fit) -> float:
    (phone,) = (source for source in fit.sources if source.channel == "phone")
    return phone.busyness.alpha.value


def test_a_whole_history_has_no_gaps(changed: Callable[..., History]) -> None:
    history = changed(lambda row: row)
    assert history.notes == ()
    assert len(history.tables[0].days) == 40


def test_a_missing_hour_is_not_an_hour_without_calls(changed: Callable[..., History]) -> None:
    whole = fit_history(changed(lambda row: row))
    history = changed(lambda row: None if on(row, "2026-01-14T11") else row)
    (note,) = history.notes
    assert note.startswith("1 day left out, since rows are missing")
    assert "2026-01-14 (11:00)" in note
    assert date(2026, 1, 14) not in history.tables[0].days
    assert alpha(fit_history(history)) == pytest.approx(alpha(whole), rel=0.2)


def test_a_row_left_out_where_few_come_is_nobody() -> None:
    days = [date(2026, 1, 5 + 7 * week) for week in range(4)]
    offered = {(day, place): 3.0 for day in days for place in range(4)}
    del offered[days[2], 1]
    assert gaps(offered) == {}
    many = dict.fromkeys(offered, 20.0)
    assert gaps(many) == {days[2]: [1]}


def test_the_hour_that_summer_time_takes_is_not_missing(tmp_path: Path) -> None:
    path = tmp_path / "night.csv"
    rows = [
        f"2026-03-{day:02d}T{hour:02d}:00:00,60,night,50\n"
        for day in (8, 15, 22, 29)
        for hour in range(24)
        if (day, hour) != (29, 2)
    ]
    path.write_text("interval_start,interval_minutes,queue,offered\n" + "".join(rows))
    history = read_history(path, Reading(options=Options(zone="Europe/Berlin")))
    assert len(history.tables[0].days) == 4


def test_absent_days_are_those_whose_weekday_is_open() -> None:
    there = [date(2026, 3, day) for day in (2, 3, 9, 16, 17)]
    assert absent_days(there) == [date(2026, 3, 10)]


def test_a_day_that_was_not_like_others_is_told_with_what_it_does(
    changed: Callable[..., History],
) -> None:
    def eight_times(row: Row) -> Row:
        factor = 8 if on(row, "2026-01-20") else 1
        return {**row, "offered": str(int(row["offered"]) * factor)}

    spoilt = fit_history(changed(eight_times))
    assert alpha(spoilt) < 10
    said = "\n".join(as_text(spoilt))
    assert "2026-01-20; without them" in said
    assert "--without 2026-01-20" in said
    mended = fit_history(changed(eight_times, without=frozenset({date(2026, 1, 20)})))
    assert alpha(mended) > 20


def test_handling_is_known_although_some_rows_do_not_say(changed: Callable[..., History]) -> None:
    def silent(row: Row) -> Row:
        return {**row, "aht_seconds": ""} if on(row, "2026-01-20") else row

    whole, history = fit_history(changed(lambda row: row)), changed(silent)
    fit = fit_history(history)
    assert "16 intervals with contacts say nothing of handling" in history.notes[0]
    for ours, theirs in zip(fit.sources, whole.sources, strict=True):
        assert ours.mean_handle_s.value == pytest.approx(theirs.mean_handle_s.value, rel=0.02)


def test_intervals_that_do_not_begin_where_they_say_are_refused(
    changed: Callable[..., History],
) -> None:
    with pytest.raises(TableError, match="begins no interval of 45 min"):
        changed(lambda row: {**row, "interval_minutes": "45"})


def test_leaving_out_every_day_is_refused(changed: Callable[..., History]) -> None:
    with pytest.raises(TableError, match="mend --from, --to or --without"):
        changed(lambda row: row, first=date(2027, 1, 1))
