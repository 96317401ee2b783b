"""Print scores as tables of at most 80 columns, targets beside them, or as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, fields
from typing import Final

from router.measures_scores import By, PromiseScore, Score
from router.measures_targets import Target, targets_for
from router.measures_views import QueueRow

WIDTH: Final = 80
_CELL: Final = 6  # and a mark
_CENTS_TO: Final = 1_000
_SECONDS_TO: Final = 100
_MINUTES_TO: Final = 100
_OF_AGENTS: Final = (By.AGENT, By.TEAM)

# Heading and measure of each column. One column is 7 wide and has room for a mark.
_AGENT_COLUMNS: Final = (
    ("done", "handled"),
    ("answer", "average_speed_of_answer_ms"),
    ("reply", "average_first_reply_ms"),
    ("handle", "average_handle_time_ms"),
    ("first", "first_contact_resolution"),
    ("satisf", "satisfaction"),
    ("SLA", "sla_met_share"),
    ("occup", "occupancy"),
    ("adher", "adherence"),
)
_LINE_COLUMNS: Final = (
    ("came", "arrivals"),
    ("timely", "service_level"),
    ("answer", "average_speed_of_answer_ms"),
    ("reply", "average_first_reply_ms"),
    ("handle", "average_handle_time_ms"),
    ("lost", "abandonment_without_short"),
    ("first", "first_contact_resolution"),
    ("satisf", "satisfaction"),
    ("SLA", "sla_met_share"),
)
_COST_COLUMNS: Final = (("cost", "cost"), ("each", "cost_per_contact"))
# What can give way to the two columns of costs.
_LEAST_TOLD: Final = ("average_handle_time_ms", "average_first_reply_ms")


def say(measure: str, value: float | None) -> str:
    """Write a value in at most six characters: a share in %, a duration, a count, money."""
    if value is None:
        return "-"
    if measure.endswith("_ms"):
        return say_ms(value)
    if measure.startswith("cost"):
        return f"{value:.2f}" if value < _CENTS_TO else f"{value:.0f}"
    return str(value) if isinstance(value, int) else f"{value:.1%}"


def say_ms(value_ms: float) -> str:
    """Write a duration: 12.3s, 4m05s, 2h07m."""
    seconds = value_ms / 1000
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    if round(seconds, 1) < _SECONDS_TO:
        return f"{sign}{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < _MINUTES_TO:
        return f"{sign}{minutes}m{rest:02d}s"
    return f"{sign}{minutes // 60}h{minutes % 60:02d}m"


def tables(
    scores: Sequence[Score], by: By, targets: Iterable[Target], *, priced: bool
) -> Iterator[str]:
    """Yield the lines of a table for each period; `!` marks what misses its target."""
    wanted = tuple(targets)
    columns = list(_AGENT_COLUMNS if by in _OF_AGENTS else _LINE_COLUMNS)
    if priced:
        columns = [column for column in columns if column[1] not in _LEAST_TOLD]
        columns.extend(_COST_COLUMNS)
    room = WIDTH - (_CELL + 1) * len(columns)
    for period in dict.fromkeys(score.period for score in scores):
        yield ""
        heads = "".join(f"{heading:>{_CELL}} " for heading, _ in columns)
        yield f"{period:<{room}}{heads}".rstrip()
        if any(target.by is None for target in wanted):
            yield f"{'target':<{room}}{_targets_line(columns, wanted)}".rstrip()
        for score in scores:
            if score.period == period:
                yield _row(score, by, columns, wanted, room)


def _targets_line(columns: list[tuple[str, str]], targets: tuple[Target, ...]) -> str:
    general = {target.measure: target for target in targets if target.by is None}
    return "".join(
        f"{say_target(general[measure]) if measure in general else '':>{_CELL}} "
        for _, measure in columns
    )


def say_target(target: Target) -> str:
    """Write a target in at most six characters, as >90% or <3m."""
    least = target.at_least is not None
    value = target.at_least if least else target.at_most
    text = say(target.measure, value).replace(".0", "")
    text = text.removesuffix("00s") if "m" in text else text
    return f"{'>' if least else '<'}{text}"


def _row(
    score: Score,
    by: By,
    columns: list[tuple[str, str]],
    targets: tuple[Target, ...],
    room: int,
) -> str:
    own = targets_for(score, by, targets)
    cells = []
    for _, measure in columns:
        missed = measure in own and own[measure].met_by(score) is False
        cells.append(f"{say(measure, getattr(score, measure)):>{_CELL}}{'!' if missed else ' '}")
    return f"{_cut(score.subject, room)}{''.join(cells)}".rstrip()


def _cut(text: str, room: int) -> str:
    return f"{text if len(text) < room else text[: room - 2] + '~':<{room}}"


def promise_table(promises: Iterable[PromiseScore]) -> Iterator[str]:
    """Yield the lines of a table of promises beside their objectives."""
    yield ""
    yield f"{'promise':<34}{'clocks':>8} {'kept':>8} {'broken':>8} {'share':>7}  objective"
    for row in promises:
        missed = row.sla_met_share is not None and row.sla_met_share < row.objective
        share = f"{say('share', row.sla_met_share)}{'!' if missed else ' '}"
        yield (
            f"{_cut(row.promise, 34)}{row.started:>8} {row.met:>8} {row.breached:>8} "
            f"{share:>8}   {row.objective:>6.0%}"
        )


def prediction_table(rows: Iterable[QueueRow]) -> Iterator[str]:
    """Yield the lines of a table: what to tell a customer now, and how good that was."""
    yield ""
    yield f"{'wait to expect':<20}{'now':>9}{'told':>8}{'error':>9}{'off by':>9}{'within 30 s':>13}"
    for row in rows:
        error_ms, off_ms = row.mean_prediction_error_ms, row.mean_absolute_prediction_error_ms
        yield (
            f"{_cut(row.queue, 20)}{say('now_ms', row.predicted_wait_ms):>9}{row.predictions:>8}"
            f"{say('error_ms', error_ms):>9}{say('off_ms', off_ms):>9}"
            f"{say('share', row.predicted_within_30_s):>13}"
        )


def as_csv(scores: Sequence[Score]) -> str:
    """Write scores as CSV: a column a measure by its name, nothing where there is no number."""
    names = [item.name for item in fields(Score) if item.name != "promises"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for score in scores:
        row = asdict(score)
        writer.writerow("" if row[name] is None else row[name] for name in names)
    return text.getvalue()
