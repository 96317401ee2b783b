"""Show measures as rows: what the board, the terminal and the report print.

Rows are plain frozen values. Ratios run from 0 to 1 and are None where nothing was decided;
durations are milliseconds. `as_table` gives the whole as plain dictionaries, ready for JSON.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from router import measures_formulas as formulas
from router.measures import Measures
from router.measures_agents import AgentState
from router.measures_cards import Card
from router.measures_histogram import FineHistogram
from router.measures_lines import Counts, Line, QueueExit


@dataclass(frozen=True, kw_only=True)
class QueueRow:
    """Show one queue over all its channels."""

    queue: str
    arrivals: int
    waiting: int
    oldest_arrival_ms: int | None
    longest_wait_now_ms: int
    answered: int
    abandoned: int
    short_abandoned: int
    deflected: int
    overflowed: int
    callback: int
    expired: int
    service_level: float | None
    service_level_ms: int
    average_speed_of_answer_ms: float | None
    wait_p50_ms: int | None
    wait_p90_ms: int | None
    wait_p95_ms: int | None
    wait_max_ms: int
    predicted_wait_ms: int | None
    predicted_wait_by_channel_ms: dict[str, int]
    predictions: int
    mean_prediction_error_ms: float | None
    mean_absolute_prediction_error_ms: float | None
    predicted_within_30_s: float | None
    abandonment: float | None
    abandonment_without_short: float | None
    offers: int
    assignments: int
    offers_per_assignment: float | None
    transferred: int
    reopened: int
    handled: int
    average_handle_time_ms: float | None
    talk_ms: int
    hold_ms: int
    wrap_up_ms: int


@dataclass(frozen=True, kw_only=True)
class PromiseRow:
    """Show one promise in one queue."""

    queue: str
    promise: str
    target_ms: int
    objective: float
    started: int
    warned: int
    met: int
    breached: int
    canceled: int
    met_share: float | None


@dataclass(frozen=True, kw_only=True)
class TeamRow:
    """Show one team's signed-in agents by state."""

    team: str
    signed_in: int
    away: int
    idle: int
    offered: int
    handling: int
    wrap_up: int
    occupancy: float | None


@dataclass(frozen=True, kw_only=True)
class IntervalRow:
    """Show one queue in one interval, by the arrival of its contacts."""

    interval_start_ms: int
    queue: str
    arrivals: int
    answered: int
    abandoned: int
    service_level: float | None
    average_speed_of_answer_ms: float | None


def summary(measures: Measures) -> dict[str, int | float | None]:
    """Return the whole centre in a few numbers: counts, ms, ratios (None: nothing decided)."""
    counts = Counts()
    for line in measures.lines.values():
        counts.add(line.counts)
    service = counts.service_counts()
    met = sum(promise.met for promise in measures.promises.values())
    breached = sum(promise.breached for promise in measures.promises.values())
    return {
        "contacts": measures.accepted,
        "open": measures.open_contacts,
        **{how.value: number for how, number in counts.exits.items()},
        "service_level": formulas.service_level(service),
        "average_speed_of_answer_ms": formulas.average_speed_of_answer_ms(
            counts.answered_wait_ms, service.answered
        ),
        "abandonment": formulas.abandonment(service),
        "offers_per_assignment": formulas.offers_per_assignment(
            sum(line.offers for line in measures.lines.values()),
            sum(line.assignments for line in measures.lines.values()),
        ),
        "sla_met": met,
        "sla_breached": breached,
        "sla_met_share": formulas.sla_met_share(met, breached),
    }


def queue_rows(measures: Measures, now_ms: int | None = None) -> list[QueueRow]:
    """Make a row for each queue of the plan and each that was ever used, plan first, by name."""
    at_ms = measures.now_ms if now_ms is None else now_ms
    plan = measures.center.queues if measures.center is not None else {}
    removed = dict.fromkeys(queue for queue, _ in measures.lines if queue not in plan)
    names = [*sorted(plan), *sorted(removed)]
    return [_queue_row(measures, name, at_ms) for name in names]


def _queue_row(measures: Measures, queue: str, now_ms: int) -> QueueRow:
    lines = [line for (name, _), line in sorted(measures.lines.items()) if name == queue]
    counts, waits = Counts(), FineHistogram()
    for line in lines:
        counts.add(line.counts)
        waits.merge(line.percentiles)
    service = counts.service_counts()
    oldest = [since for line in lines if (since := line.waiting.oldest_ms()) is not None]
    offers = sum(line.offers for line in lines)
    assignments = sum(line.assignments for line in lines)
    talk_ms, hold_ms = sum(line.talk_ms for line in lines), sum(line.hold_ms for line in lines)
    wrap_up_ms = sum(line.wrap_up_ms for line in lines)
    handled = sum(line.handled for line in lines)
    return QueueRow(
        queue=queue,
        arrivals=counts.arrivals,
        waiting=sum(len(line.waiting) for line in lines),
        oldest_arrival_ms=min(oldest, default=None),
        longest_wait_now_ms=max(now_ms - min(oldest), 0) if oldest else 0,
        answered=counts.exits[QueueExit.ANSWERED],
        abandoned=counts.exits[QueueExit.ABANDONED],
        short_abandoned=counts.exits[QueueExit.SHORT_ABANDONED],
        deflected=counts.exits[QueueExit.DEFLECTED],
        overflowed=counts.exits[QueueExit.OVERFLOWED],
        callback=counts.exits[QueueExit.CALLBACK],
        expired=counts.exits[QueueExit.EXPIRED],
        service_level=formulas.service_level(service),
        service_level_ms=_threshold_ms(measures, queue),
        average_speed_of_answer_ms=formulas.average_speed_of_answer_ms(
            counts.answered_wait_ms, service.answered
        ),
        wait_p50_ms=waits.percentile_ms(50),
        wait_p90_ms=waits.percentile_ms(90),
        wait_p95_ms=waits.percentile_ms(95),
        wait_max_ms=waits.max_ms,
        **_predicted(measures, queue),
        abandonment=formulas.abandonment(service),
        abandonment_without_short=formulas.abandonment_without_short(service),
        offers=offers,
        assignments=assignments,
        offers_per_assignment=formulas.offers_per_assignment(offers, assignments),
        transferred=sum(line.transferred for line in lines),
        reopened=sum(line.reopened for line in lines),
        handled=handled,
        average_handle_time_ms=formulas.average_handle_time_ms(
            talk_ms, hold_ms, wrap_up_ms, handled
        ),
        talk_ms=talk_ms,
        hold_ms=hold_ms,
        wrap_up_ms=wrap_up_ms,
    )


def _predicted(measures: Measures, queue: str) -> dict[str, Any]:
    """Return what a customer would be told now, and how good that was, by days kept."""
    total = Card()
    for day in measures.days.known.values():
        for key, card in day.lines.items():
            if key.queue == queue:
                total.add_predictions(card)
    channels = sorted(channel for name, channel in measures.lines if name == queue)
    by_channel = {channel: measures.waits.now(queue, channel) for channel in channels}
    return {
        "predicted_wait_ms": measures.waits.now(queue),
        "predicted_wait_by_channel_ms": {
            channel: wait_ms for channel, wait_ms in by_channel.items() if wait_ms is not None
        },
        "predictions": total.predictions,
        "mean_prediction_error_ms": formulas.mean_prediction_error_ms(
            total.predicted_error_ms, total.predictions
        ),
        "mean_absolute_prediction_error_ms": formulas.mean_absolute_prediction_error_ms(
            total.predicted_off_ms, total.predictions
        ),
        "predicted_within_30_s": formulas.predicted_within_30_s(
            total.predicted_close, total.predictions
        ),
    }


def _threshold_ms(measures: Measures, queue: str) -> int:
    plan = measures.center.queues if measures.center is not None else {}
    return plan[queue].service_level_ms if queue in plan else 0


def promise_rows(measures: Measures) -> list[PromiseRow]:
    """Make a row for each promise that ever had a clock in a queue."""
    plan = measures.center.promises if measures.center is not None else {}
    return [
        PromiseRow(
            queue=queue,
            promise=name,
            target_ms=plan[name].target_ms if name in plan else 0,
            objective=plan[name].objective_percent / 100 if name in plan else 0.0,
            started=counts.started,
            warned=counts.warned,
            met=counts.met,
            breached=counts.breached,
            canceled=counts.canceled,
            met_share=formulas.sla_met_share(counts.met, counts.breached),
        )
        for (queue, name), counts in sorted(measures.promises.items())
    ]


def team_rows(measures: Measures, now_ms: int | None = None) -> list[TeamRow]:
    """Make a row for each team with agents."""
    at_ms = measures.now_ms if now_ms is None else now_ms
    rows = []
    for team in measures.agents.teams():
        count = {state: measures.agents.count(team, state) for state in AgentState}
        busy_ms, signed_in_ms = measures.agents.busy_and_signed_in_ms(team, at_ms)
        rows.append(
            TeamRow(
                team=team,
                signed_in=sum(count.values()),
                away=count[AgentState.AWAY],
                idle=count[AgentState.IDLE],
                offered=count[AgentState.OFFERED],
                handling=count[AgentState.HANDLING],
                wrap_up=count[AgentState.WRAP_UP],
                occupancy=formulas.occupancy_over_signed_in(busy_ms, signed_in_ms),
            )
        )
    return rows


def interval_rows(measures: Measures) -> list[IntervalRow]:
    """Make a row for each kept interval and queue, in order of time, then of name."""
    merged: dict[tuple[int, str], Counts] = {}
    for (queue, _), line in measures.lines.items():
        for start_ms, counts in line.intervals.items():
            merged.setdefault((start_ms, queue), Counts()).add(counts)
    rows = []
    for (start_ms, queue), counts in sorted(merged.items()):
        service = counts.service_counts()
        rows.append(
            IntervalRow(
                interval_start_ms=start_ms,
                queue=queue,
                arrivals=counts.arrivals,
                answered=service.answered,
                abandoned=service.abandoned,
                service_level=formulas.service_level(service),
                average_speed_of_answer_ms=formulas.average_speed_of_answer_ms(
                    counts.answered_wait_ms, service.answered
                ),
            )
        )
    return rows


def service_levels(lines: list[Line]) -> dict[str, float | None]:
    """Return all six service levels of some lines together, by formula."""
    counts = Counts()
    for line in lines:
        counts.add(line.counts)
    service = counts.service_counts()
    return {name: formula(service) for name, formula in formulas.SERVICE_LEVELS.items()}


def as_table(measures: Measures, now_ms: int | None = None) -> dict[str, object]:
    """Return everything as plain values, ready for JSON; decisions are counts by reason."""
    return {
        "at_ms": measures.now_ms if now_ms is None else now_ms,
        "seq": measures.seq,
        "summary": summary(measures),
        "queues": [asdict(row) for row in queue_rows(measures, now_ms)],
        "promises": [asdict(row) for row in promise_rows(measures)],
        "teams": [asdict(row) for row in team_rows(measures, now_ms)],
        "decisions": [
            {"decision": kind, "reason": reason.value, "count": number}
            for (kind, reason), number in sorted(
                measures.decisions.items(), key=lambda item: (item[0][0], item[0][1].value)
            )
        ],
    }
