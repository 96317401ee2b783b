"""Offer the forecast from a live state on the command line: `switchroom forecast-now`."""

from __future__ import annotations

import json
import os
import time  # noqa: TID251 - how long an answer took; no draw reads it
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulation.report.options import Language, Output, Pages, Show
from simulation.whatif.spoken import center_from, change_of, stop, with_libraries

if TYPE_CHECKING:
    from simulation.report.document import Document
    from simulation.whatif.altering import Alteration
    from simulation.whatif.foretelling import ForecastNow
    from simulation.whatif.live import Live

_MINUTE_MS = 60_000
_TOKEN_NAME = "SWITCHROOM_HTTP_TOKEN"  # noqa: S105 - a variable's name

_TokenName = Annotated[str, typer.Option(help="With --url: the variable that holds the token.")]
_Laws = Annotated[
    Path, typer.Option(help="Demand, handling, patience, shifts: a scenario file or name.")
]
_Seen = Annotated[
    list[str] | None, typer.Option(help="order_calls=131: how many came since opening.")
]
_Add = Annotated[
    list[str] | None,
    typer.Option("--add", help="technical=2: so many more agents; each one a course."),
]

_Changes = Annotated[
    list[str] | None, typer.Option(help="queues.care.agent_policy=longest_idle: a course.")
]
_Within = Annotated[
    float,
    typer.Option(
        min=0.0, help="Stop when differences of service level are this sure, points; 0: never."
    ),
]


def forecast_now(
    snapshot: Annotated[Path | None, typer.Option(help="A snapshot file.")] = None,
    store: Annotated[
        Path | None, typer.Option("--store", "--journal", help="A store, or a journal file.")
    ] = None,
    url: Annotated[str, typer.Option(help="A worker, as http://127.0.0.1:8080.")] = "",
    *,
    at: Annotated[str, typer.Option(help="With --store: as it was at this time of day.")] = "",
    center: Annotated[str, typer.Option(help="With --url: which centre, if it has several.")] = "",
    token_env: _TokenName = _TOKEN_NAME,
    scenario: _Laws = Path("sample"),
    seen: _Seen = None,
    horizon: Annotated[str, typer.Option(help="How far to look.")] = "2h",
    add: _Add = None,
    change: _Changes = None,
    config: Annotated[Path | None, typer.Option(help="Another configuration: a course.")] = None,
    demand: Annotated[str, typer.Option(help="+30%, -20%: a course.")] = "",
    change_in: Annotated[str, typer.Option("--in", help="When the change comes.")] = "0s",
    stay: Annotated[str, typer.Option("--for", help="How long newcomers stay; else on.")] = "",
    pairs: Annotated[int, typer.Option(min=2, max=100_000, help="How many draws at most.")] = 200,
    within: _Within = 1.0,
    seed: Annotated[int, typer.Option(help="The number from which all lots are drawn.")] = 1,
    workers: Annotated[int, typer.Option(help="Processes; 0: one a core.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    output: Output = None,
    show: Show = False,
    language: Language = "en",
) -> None:
    """Look ahead from a live state: what comes, and what a change now would do."""
    pages = Pages(output, language, show)
    with_libraries()
    began = time.monotonic()
    workers = _start_early(workers)
    from configs.durations import DurationError, parse_duration  # noqa: PLC0415 - loads a world
    from configs.findings import ConfigError  # noqa: PLC0415 - as above
    from router.snapshot import SnapshotError  # noqa: PLC0415 - as above
    from simulation.plan.reading import load_scenario  # noqa: PLC0415 - as above
    from simulation.whatif.altering import AlterationError  # noqa: PLC0415 - as above
    from simulation.whatif.foretelling import foretell  # noqa: PLC0415 - as above
    from simulation.whatif.live import LiveError, outlook_of  # noqa: PLC0415 - as above

    try:
        loaded = load_scenario(scenario)
        live = _live(snapshot, store, url, at, center, os.environ.get(token_env, ""), loaded.zone)
        change_in_ms = parse_duration(change_in)
        horizon_ms = parse_duration(horizon)
        if not 0 <= change_in_ms < horizon_ms:
            stop(f"--in {change_in}: a change comes within the horizon of {horizon}")
        outlook, facts = outlook_of(
            live,
            loaded,
            _courses(add or [], change or [], config, demand, change_in_ms / _MINUTE_MS),
            horizon_ms=horizon_ms,
            change_in_ms=change_in_ms,
            leave_in_ms=change_in_ms + parse_duration(stay) if stay else 0,
            seed=seed,
            slice_ms=max(5 * _MINUTE_MS, horizon_ms // 8),
            seen=_seen(seen or [], set(loaded.demand)),
        )
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    except (AlterationError, DurationError, LiveError, SnapshotError) as error:
        stop(str(error))
    answer = foretell(outlook, facts, pairs_max=pairs, within_points=within, workers=workers)
    answer = replace(answer, took_s=time.monotonic() - began)
    _tell(answer, loaded.zone, pages, as_json=as_json)


def _start_early(workers: int) -> int:
    """Return how many processes play, and let what they need load while files are read."""
    from simulation.plan.replications import available_cores  # noqa: PLC0415 - as above
    from simulation.whatif.forecasting import load_early  # noqa: PLC0415 - as above

    workers = workers or available_cores()
    if workers > 1:
        load_early()
    return workers


def _tell(answer: ForecastNow, zone: str, pages: Pages, *, as_json: bool) -> None:
    from simulation.whatif.showing import show_forecast  # noqa: PLC0415 - as above

    def document(language: str) -> Document:
        from simulation.report.forecast_document import forecast_document  # noqa: PLC0415 - as above

        return forecast_document(answer, zone, language)

    plain = json.dumps(asdict(answer), ensure_ascii=False)
    for line in [plain] if as_json else show_forecast(answer, zone):
        typer.echo(line)
    pages.write("forecast", answer, document)


def _live(
    snapshot: Path | None,
    store: Path | None,
    url: str,
    at: str,
    center: str,
    token: str,
    zone: str,
) -> Live:
    """Return the state that is asked about."""
    from router.journal import JournalError  # noqa: PLC0415 - as above
    from simulation.journal_sources import entries_in  # noqa: PLC0415 - as above
    from simulation.whatif import altering, live  # noqa: PLC0415 - as above

    if sum(bool(one) for one in (snapshot, store, url)) != 1:
        stop("give one of --snapshot FILE, --store FILE, --url ADDRESS")
    try:
        if snapshot is not None:
            return live.live_from_file(snapshot)
        if url:
            return live.live_from_url(url, token, center)
        assert store is not None, "one of three is given"
        until_ms = None
        if at:
            first = next(entries_in(store), None)
            day_ms = 0 if first is None else first.stamped.at_ms
            until_ms, _ = altering.parse_between(f"{at}-24:00", day_ms, zone)
        return live.live_from_journal(store, until_ms)
    except JournalError as error:
        stop(f"{snapshot or store}: {error}")
    except OSError as error:
        stop(f"{snapshot or store}: {error.strerror or error}; give a file that a worker wrote")


def _seen(texts: list[str], names: set[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for text in texts:
        name, _, count = text.partition("=")
        if name not in names or not count.isdecimal():
            stop(f'seen "{text}": write DEMAND=COUNT, of {", ".join(sorted(names))}')
        found[name] = int(count)
    return found


def _courses(
    add: list[str], change: list[str], config: Path | None, demand: str, in_min: float
) -> dict[str, Alteration]:
    """Return each change, in so many minutes, as a course of its own, by what it is called."""
    from simulation.phrases import Phrase  # noqa: PLC0415 - as above
    from simulation.whatif import altering  # noqa: PLC0415 - as above

    found: dict[str, Alteration] = {}
    for text in add:
        where, agents = altering.parse_added(text)
        part = altering.Reinforcement(where=where, agents=agents, from_ms=0, to_ms=0)
        told = Phrase("{agents} more in {where}", agents=agents, where=where)
        found[told] = altering.Alteration(reinforcements=(part,))
    for text in change:
        found[text] = altering.Alteration(changes=(change_of(text),))
    if config is not None:
        told = Phrase("the rules of {path}", path=str(config))
        found[told] = altering.Alteration(center=center_from(config))
    if demand:
        factor = altering.parse_share(demand)
        found[Phrase("{more:+.0%} contacts", more=factor - 1)] = altering.Alteration(demand=factor)
    if not in_min:
        return found
    return {
        Phrase("{change} in {minutes:g} min", change=told, minutes=in_min): change
        for told, change in found.items()
    }
