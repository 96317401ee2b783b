# ruff: noqa: PLC0415 - a command imports what it needs when it runs
"""Offer scorecards on the command line: `switchroom scorecard`, from a store or a journal file."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from streams.journal_commands import JournalArgument, JsonOption, entries_in, fail, told

if TYPE_CHECKING:
    from router.measures import Measures
    from router.measures_scores import By, Prices, Score
    from router.measures_targets import Target

# A century of days: the journal bounds what is kept, not we.
_DAYS_MAX: Final = 36_525
_DAY_MS: Final = 86_400_000
_MINUTE_MS: Final = 60_000


class ByChoice(StrEnum):
    """What a scorecard can be of."""

    AGENT = "agent"
    TEAM = "team"
    QUEUE = "queue"
    CATEGORY = "category"
    CHANNEL = "channel"
    TIER = "tier"
    CENTER = "center"


class PeriodChoice(StrEnum):
    """What time a score can span."""

    INTERVAL = "interval"
    DAY = "day"
    MONTH = "month"
    ALL = "all"


def scorecard(
    file: JournalArgument,
    by: Annotated[ByChoice, typer.Option(help="Whose scores.")] = ByChoice.TEAM,
    period: Annotated[PeriodChoice, typer.Option(help="Of which time.")] = PeriodChoice.DAY,
    *,
    targets: Annotated[
        Path | None, typer.Option(help="Targets to set beside them (YAML, see MEASURES.md).")
    ] = None,
    costs: Annotated[
        Path | None, typer.Option(help="What agents cost (YAML): gives cost per contact.")
    ] = None,
    shifts: Annotated[
        Path | None, typer.Option(help="The shift plan (CSV): gives adherence and utilisation.")
    ] = None,
    zone: Annotated[
        str, typer.Option(help="The zone of days; else that of the centre's calendars.")
    ] = "",
    interval: Annotated[
        str, typer.Option(help="How long an interval is, with --period interval.")
    ] = "30m",
    repeat_window: Annotated[
        str, typer.Option(help="For how long a customer who comes again is a repeat.")
    ] = "168h",
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, a column a measure.")] = False,
) -> None:
    """Score agents, teams or queues by day or month, with targets beside them."""
    if as_json and as_csv:
        fail("error: --json and --csv exclude each other", 2)
    from configs.findings import ConfigError
    from configs.scorecard_files import read_prices, read_targets
    from router.measures_scores import By, Period, scores

    try:
        wanted = read_targets(targets) if targets is not None else ()
        prices = read_prices(costs) if costs is not None else None
        with told():
            slot_ms = _slot_ms(interval) if period is PeriodChoice.INTERVAL else 0
            window_ms = _duration_ms("--repeat-window", repeat_window)
            measures = _fold(file, shifts, zone, window_ms, slot_ms)
    except ConfigError as error:
        fail(str(error))
    of = By(by.value)
    found = scores(measures, of, Period(period.value), prices)
    if as_csv:
        from streams.scorecard_table import as_csv as write_csv

        sys.stdout.write(write_csv(found))
    elif as_json:
        sys.stdout.write(json.dumps(_as_json(measures, found, of, period.value, wanted, prices)))
        sys.stdout.write("\n")
    else:
        _print(file, measures, found, of, wanted, prices)


def _duration_ms(option: str, text: str) -> int:
    from configs.durations import DurationError, parse_duration

    try:
        return parse_duration(text)
    except DurationError as error:
        fail(f"error: {option}: {error}", 2)


def _slot_ms(text: str) -> int:
    slot_ms = _duration_ms("--interval", text)
    if slot_ms < _MINUTE_MS or _DAY_MS % slot_ms or slot_ms % _MINUTE_MS:
        fail(f"error: --interval {text}: give minutes that divide a day, such as 15m or 1h", 2)
    return slot_ms


def _fold(file: Path, shifts: Path | None, zone: str, window_ms: int, slot_ms: int) -> Measures:
    """Fold a journal; the zone of shifts and days is that of its first configuration."""
    from configs.scorecard_files import read_shifts
    from configs.zones import zone_names
    from router.events import CenterChanged
    from router.measures import Measures
    from router.measures_cards import UTC_NAME, Days, zone_of

    if zone and zone not in zone_names():
        fail(f"error: --zone {zone}: no such zone; write for example Asia/Shanghai or UTC", 2)
    measures: Measures | None = None
    for entry in entries_in(file):
        if measures is None:
            event = entry.stamped.event
            own = zone_of(event.center) if isinstance(event, CenterChanged) else UTC_NAME
            plan = read_shifts(shifts, zone or own) if shifts is not None else None
            days = Days(zone, days_max=_DAYS_MAX, slot_ms=slot_ms)
            measures = Measures(days=days, plan=plan, repeat_window_ms=window_ms)
        measures.fold(entry.stamped, entry.decisions)
    assert measures is not None, "a journal without entries is refused before"
    return measures


def _as_json(
    measures: Measures,
    found: list[Score],
    by: By,
    period: str,
    wanted: tuple[Target, ...],
    prices: Prices | None,
) -> dict[str, object]:
    """Make the document that MEASURES.md describes."""
    from router.measures_formulas import SERVICE_LEVEL_DEFINITION
    from router.measures_scores import By
    from router.measures_targets import targets_for
    from router.measures_views import queue_rows

    rows = []
    for score in found:
        own = targets_for(score, by, wanted)
        rows.append(
            {
                **asdict(score),
                "targets": {
                    name: {
                        "at_least": target.at_least,
                        "at_most": target.at_most,
                        "met": target.met_by(score),
                    }
                    for name, target in sorted(own.items())
                },
            }
        )
    document: dict[str, object] = {
        "at_ms": measures.now_ms,
        "seq": measures.seq,
        "center": measures.center.name if measures.center is not None else "",
        "zone": measures.days.zone,
        "by": by.value,
        "period": period,
        "repeat_window_ms": measures.first_contacts.window_ms,
        "service_level_definition": SERVICE_LEVEL_DEFINITION,
        "currency": prices.currency if prices is not None else "",
        "scores": rows,
    }
    if by is By.QUEUE:
        document["queues"] = [asdict(row) for row in queue_rows(measures)]
    return document


def _print(
    file: Path,
    measures: Measures,
    found: list[Score],
    by: By,
    wanted: tuple[Target, ...],
    prices: Prices | None,
) -> None:
    from router.measures_formulas import SERVICE_LEVEL_DEFINITION
    from router.measures_scores import By, Period, scores
    from router.measures_views import queue_rows
    from router.problems import show_duration
    from streams.scorecard_table import prediction_table, promise_table, tables

    name = measures.center.name if measures.center is not None else str(file)
    lines = [f"{name}: {measures.accepted} contacts, days of {measures.days.zone}"]
    priced = prices is not None and any(score.cost is not None for score in found)
    lines.extend(tables(found, by, wanted, priced=priced))
    for total in scores(measures, By.CENTER, Period.ALL):
        lines.extend(promise_table(total.promises))
    if by is By.QUEUE:
        lines.extend(prediction_table(queue_rows(measures)))
    window = show_duration(measures.first_contacts.window_ms)
    lines.append("")
    if by not in {By.AGENT, By.TEAM}:
        lines.append(f"timely: {SERVICE_LEVEL_DEFINITION}.")
        lines.append("lost: abandoned, short ones left out.")
    lines.append(f"first: handled, no repeat within {window}. satisf: answers of 4 or 5.")
    if prices is not None and priced:
        lines.append(f"cost, and each: of a handled contact. Currency: {prices.currency or '-'}.")
    lines.append("!: misses its target or objective.")
    sys.stdout.write("\n".join(lines) + "\n")
