"""Offer the formulas on the command line: `switchroom erlang`."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from simulation.erlang import QueueModel

_EXTRAS: Final = ("numpy", "scipy")
_MINUTE_MS: Final = 60_000
_DEFAULT_LEVEL: Final = "answered_in_time_over_offered_less_short"
_MODELS: Final = {"erlang_c": "Erlang C (nobody gives up)", "erlang_a": "Erlang A (some give up)"}
_ROWS: Final = (
    ("delay_probability", "P(delay): finds no agent at once", 100.0, " %"),
    ("service_level", "service level", 100.0, " %"),
    ("abandonment", "abandonment, of arrivals", 100.0, " %"),
    ("average_speed_of_answer_s", "ASA: mean wait of the served", 1.0, " s"),
    ("occupancy", "occupancy", 100.0, " %"),
)


def register(app: typer.Typer) -> None:
    """Mount `switchroom erlang`; formulas and their libraries load when it is called."""
    app.command("erlang")(erlang)


def erlang(
    arrivals_per_hour: Annotated[float, typer.Option(help="Contacts an hour.")],
    handle_time: Annotated[str, typer.Option(help="Mean handle time, such as 3m or 200s.")],
    patience: Annotated[
        str, typer.Option(help="Mean patience, such as 2m, for Erlang A; none without.")
    ] = "",
    agents: Annotated[
        float | None, typer.Option(help="Agents, 13.5 for instance; the fewest without.")
    ] = None,
    target: Annotated[
        str, typer.Option(help="Service level: percent/seconds, or percent/duration.")
    ] = "80/20",
    level: Annotated[
        str, typer.Option(help="Which service level the target means, by name.")
    ] = _DEFAULT_LEVEL,
    short: Annotated[str, typer.Option(help="An abandonment within this is short.")] = "5s",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Answer by Erlang C and Erlang A, side by side: waits, service level, or fewest agents."""
    share, threshold_min = _parse_target(target)
    _check_positive("--arrivals-per-hour", arrivals_per_hour)
    handle_min = _parse_minutes("--handle-time", handle_time)
    patience_min = _parse_minutes("--patience", patience) if patience else None
    short_min = _parse_minutes("--short", short)
    if agents is not None:
        _check_positive("--agents", agents)
    rates = (arrivals_per_hour / 60, 1 / handle_min, 1 / patience_min if patience_min else 0.0)
    try:
        answer = _answer(rates, agents, share, (threshold_min, short_min), level)
    except ModuleNotFoundError as error:
        if error.name not in _EXTRAS:
            raise
        typer.echo(
            f"switchroom erlang: {error.name} is not installed; formulas need the planner's "
            "libraries: pip install 'switchroom[plan]'",
            err=True,
        )
        raise typer.Exit(1) from error
    except ValueError as error:
        typer.echo(f"switchroom erlang: {error}", err=True)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps(answer))
    else:
        typer.echo(_table(answer))


def _answer(
    rates_per_min: tuple[float, float, float],
    agents: float | None,
    share: float,
    times_min: tuple[float, float],
    level: str,
) -> dict[str, Any]:
    """Return both models' answers; `times_min` are the threshold and the short abandonment."""
    from router.measures_formulas import SERVICE_LEVELS  # noqa: PLC0415 - only when called
    from simulation.erlang import service_levels  # noqa: PLC0415 - loads numpy and scipy
    from simulation.staffing_formulas import fewest_agents, queue_of  # noqa: PLC0415 - as above

    if level not in SERVICE_LEVELS:
        names = "\n  ".join(SERVICE_LEVELS)
        raise typer.BadParameter(f'--level: no service level "{level}"; choose one of\n  {names}')
    arrival, service, patience = rates_per_min
    threshold_min, short_min = times_min

    def levels(model: QueueModel) -> dict[str, float]:
        return service_levels(model, threshold_min, short_min=short_min)

    answer: dict[str, Any] = {
        "offered_load_erlang": arrival / service,
        "target": share,
        "threshold_s": round(threshold_min * 60, 3),
        "service_level_definition": level,
        "short_abandon_s": round(short_min * 60, 3),
    }
    for name, rate in (("erlang_c", 0.0), ("erlang_a", patience)):
        if name == "erlang_a" and not rate:
            answer[name] = None
            continue
        number = agents
        if number is None:
            number = fewest_agents(
                arrival, service, rate, lambda model: levels(model)[level] >= share
            )
        model = queue_of(arrival, service, rate, number)
        answer[name] = _describe(model, number)
        if model is not None:
            found = levels(model)
            answer[name] |= {"service_level": found[level], "service_levels": found}
    answer["agents_given"] = agents is not None
    return answer


def _describe(model: QueueModel | None, agents: float) -> dict[str, Any]:
    if model is None:
        return {"agents": agents, "stable": False}
    return {
        "agents": agents,
        "stable": True,
        "delay_probability": model.delay_probability,
        "abandonment": model.abandon_fraction,
        "average_speed_of_answer_s": model.wait_mean_served_min * 60,
        "occupancy": model.occupancy,
    }


def _table(answer: dict[str, Any]) -> str:
    """Return the answers of both models as lines."""
    models = [name for name in _MODELS if answer[name] is not None]
    head = "agents" if answer["agents_given"] else "fewest agents that meet the target"
    rows = [
        ("", *(_MODELS[name] for name in models)),
        (head, *(f"{answer[name]['agents']:g}" for name in models)),
    ]
    for key, title, factor, unit in _ROWS:
        rows.append((title, *(_cell(answer[name], key, factor, unit) for name in models)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            text.ljust(width) if place == 0 else text.rjust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    words = answer["service_level_definition"].replace("_", " ")
    notes = [
        "",
        f"offered load {answer['offered_load_erlang']:.4g} erlang",
        f"service level: {words}; target {answer['target'] * 100:g} %",
        "in time: within {threshold_s:g} s; short: within {short_abandon_s:g} s".format(**answer),
    ]
    if answer["erlang_a"] is None:
        notes.append("no Erlang A without --patience: give the mean patience, for example 2m")
    if not all(answer[name]["stable"] for name in models):
        notes.append(
            "never settles: no more agents than erlang, and in Erlang C nobody gives up; "
            "give more --agents, or look at Erlang A"
        )
    return "\n".join([*lines, *notes])


def _cell(model: dict[str, Any], key: str, factor: float, unit: str) -> str:
    if not model["stable"]:
        return "never settles"
    return f"{model[key] * factor:.2f}{unit}"


def _parse_target(text: str) -> tuple[float, float]:
    """Return the share and the threshold in minutes of `80/20` or `90/1m30s`."""
    percent, slash, threshold = text.partition("/")
    try:
        share = float(percent) / 100
    except ValueError:
        share = math.nan
    if not slash or not 0 < share < 1:
        raise typer.BadParameter(
            f'--target "{text}": write percent/threshold with more than 0 and less than 100 %, '
            "for example 80/20 or 90/1m"
        )
    if threshold.isdecimal():
        threshold += "s"
    return share, _parse_minutes("--target", threshold)


def _parse_minutes(option: str, text: str) -> float:
    """Return the minutes of a duration above 0."""
    from configs.durations import DurationError, parse_duration  # noqa: PLC0415 - when called

    try:
        length_ms = parse_duration(text)
    except DurationError as error:
        raise typer.BadParameter(f"{option}: {error}") from error
    if length_ms <= 0:
        raise typer.BadParameter(f'{option} "{text}": give a duration above 0, for example 20s')
    return length_ms / _MINUTE_MS


def _check_positive(option: str, value: float) -> None:
    if not (value > 0 and math.isfinite(value)):
        raise typer.BadParameter(f"{option} {value:g}: give a finite number above 0")
