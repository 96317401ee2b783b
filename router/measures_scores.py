"""Make scorecards: the measures of queues, categories, channels, tiers, teams and agents by time.

A score is a sum of cards (`router.measures_cards`) with every formula applied. Work of contacts
stands under the day on which the contact came into line, agents' time under the day on which it
passed; a month is the sum of its days, so its ratios are not means of ratios.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Final

from router import measures_formulas as formulas
from router.measures import Measures
from router.measures_cards import Card, Day, LineKey
from router.measures_figures import afterwards_of, waits_of, work_of
from router.measures_shifts import Planned, ShiftPlan


class By(Enum):
    """Name what a score can be of."""

    AGENT = "agent"
    TEAM = "team"
    QUEUE = "queue"
    CATEGORY = "category"
    CHANNEL = "channel"
    TIER = "tier"
    CENTER = "center"


class Period(Enum):
    """Name the time that a score can span; intervals are the parts of days that `Days` keeps."""

    INTERVAL = "interval"
    DAY = "day"
    MONTH = "month"
    ALL = "all"


_OF_AGENTS: Final = (By.AGENT, By.TEAM)
_DAY: Final = len("2026-01-05")
_MONTH: Final = len("2026-01")
_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, kw_only=True)
class Prices:
    """Say what a centre costs, in one currency.

    `per_hour` and `per_contact` go by cost group (of teams): paid hours where there is a shift
    plan, signed-in hours without. `fixed_per_day` is the centre's alone.
    """

    currency: str = ""
    per_hour: dict[str, float] = field(default_factory=dict)
    per_contact: dict[str, float] = field(default_factory=dict)
    fixed_per_day: float = 0.0


@dataclass(frozen=True, kw_only=True)
class PromiseScore:
    """Show one promise beside its objective."""

    promise: str
    started: int
    met: int
    breached: int
    canceled: int
    sla_met_share: float | None
    objective: float


@dataclass(frozen=True, kw_only=True)
class Score:
    """Show every measure of one subject in one period; see MEASURES.md for each.

    Durations in milliseconds, ratios from 0 to 1, None where there is nothing to divide by or the
    measure does not apply (adherence without a plan, occupancy of a queue).
    """

    period: str
    subject: str
    team: str = ""
    arrivals: int
    answered: int
    abandoned: int
    short_abandoned: int
    deflected: int
    self_served: int
    deflection_share: float | None
    self_service_share: float | None
    overflowed: int
    callbacks: int
    expired: int
    service_level: float | None
    average_speed_of_answer_ms: float | None
    wait_p50_ms: int | None
    wait_p90_ms: int | None
    wait_p95_ms: int | None
    wait_max_ms: int
    average_gross_wait_ms: float | None
    average_net_wait_ms: float | None
    abandonment: float | None
    abandonment_without_short: float | None
    offers: int
    offers_declined: int
    offers_expired: int
    offers_withdrawn: int
    assignments: int
    offers_per_assignment: float | None
    average_accept_ms: float | None
    average_first_reply_ms: float | None
    handled: int
    average_handle_time_ms: float | None
    average_talk_ms: float | None
    average_hold_ms: float | None
    average_wrap_up_ms: float | None
    resolved: int
    transferred: int
    transfer_share: float | None
    reopened: int
    first_contacts: int
    repeated: int
    first_contact_resolution: float | None
    surveys: int
    survey_answers: int
    survey_answer_share: float | None
    satisfaction: float | None
    satisfaction_mean: float | None
    said_unresolved: int
    follow_ups: int
    complaints: int
    notes: int
    callbacks_offered: int
    callbacks_dialled: int
    callbacks_failed: int
    redialled: int
    blocked_before: int
    deflection_failed: int
    sla_met: int
    sla_breached: int
    sla_met_share: float | None
    signed_in_ms: int | None
    busy_ms: int | None
    paid_ms: int | None
    occupancy: float | None
    utilisation: float | None
    adherence: float | None
    cost: float | None
    cost_per_contact: float | None
    cost_per_resolved_contact: float | None
    predictions: int
    mean_prediction_error_ms: float | None
    mean_absolute_prediction_error_ms: float | None
    predicted_within_30_s: float | None
    promises: tuple[PromiseScore, ...]


# What a target may be set for: every ratio and mean, by its name.
MEASURE_NAMES: Final = tuple(
    item.name for item in fields(Score) if item.name not in {"period", "subject", "team"}
)


class _Sum:
    """Add up the cards of one subject in one period, and what goes with them."""

    __slots__ = ("card", "cost", "planned", "team")

    def __init__(self, team: str = "") -> None:
        self.card = Card()
        self.planned = Planned()
        self.cost = 0.0
        self.team = team


def scores(
    measures: Measures,
    by: By,
    period: Period = Period.DAY,
    prices: Prices | None = None,
) -> list[Score]:
    """Return a score for each subject in each period, in order of period, then subject.

    Agents' states that go on are counted up to the last entry folded.
    """
    measures.agents.write_open(measures.now_ms)
    sums: dict[tuple[str, str, str], _Sum] = {}
    for name in sorted(measures.days.known):
        day = measures.days.known[name]
        label = _label(name, period)
        if by in _OF_AGENTS:
            _add_agents(sums, measures, day, label, by, prices)
        else:
            _add_lines(sums, measures, day, label, by, prices)
    plan = measures.agents.plan
    return [
        _score(label, subject, total, measures, by, plan=plan, prices=prices)
        for (label, _, subject), total in sorted(sums.items())
    ]


def _label(name: str, period: Period) -> str:
    match period:
        case Period.INTERVAL:
            return name
        case Period.DAY:
            return name[:_DAY]
        case Period.MONTH:
            return name[:_MONTH]
        case Period.ALL:
            return "all"


def _add_agents(
    sums: dict[tuple[str, str, str], _Sum],
    measures: Measures,
    day: Day,
    label: str,
    by: By,
    prices: Prices | None,
) -> None:
    for team, agent_id, card, planned in _agent_days(measures, day):
        subject = agent_id if by is By.AGENT else team
        total = sums.setdefault((label, team, subject), _Sum(team if by is By.AGENT else ""))
        total.card.add(card)
        total.planned = _plus(total.planned, planned)
        if prices is not None:
            total.cost += _labour(measures, team, card, planned, prices)


def _agent_days(measures: Measures, day: Day) -> Iterator[tuple[str, str, Card, Planned]]:
    """Yield team, agent, card and plan of all who were there on a day or should have been."""
    plan = measures.agents.plan
    told: dict[str, None] = {}
    to_ms = min(day.to_ms, measures.now_ms)
    for (team, agent_id), card in sorted(day.agents.items()):
        planned = Planned()
        if plan is not None and agent_id not in told:
            planned = plan.planned(agent_id, day.from_ms, to_ms)
        told[agent_id] = None
        yield team, agent_id, card, planned
    for agent_id in plan.agents() if plan is not None else ():
        if agent_id not in told and plan is not None:
            planned = plan.planned(agent_id, day.from_ms, to_ms)
            if planned != Planned():
                yield measures.agents.team_of(agent_id), agent_id, Card(), planned


def _add_lines(
    sums: dict[tuple[str, str, str], _Sum],
    measures: Measures,
    day: Day,
    label: str,
    by: By,
    prices: Prices | None,
) -> None:
    for key, card in day.lines.items():
        subject = _subject(key, by, measures)
        total = sums.setdefault((label, "", subject), _Sum())
        total.card.add(card)
    if by is not By.CENTER or not (day.lines or day.agents):
        return
    total = sums.setdefault((label, "", _center_name(measures)), _Sum())
    if prices is not None:
        share = measures.days.slot_ms / _DAY_MS if measures.days.slot_ms else 1.0
        total.cost += prices.fixed_per_day * share
    for team, _, card, planned in _agent_days(measures, day):
        _add_times(total.card, card)
        total.planned = _plus(total.planned, planned)
        if prices is not None:
            total.cost += _labour(measures, team, card, planned, prices)


def _add_times(total: Card, card: Card) -> None:
    """Add an agent's time only: his contacts stand on the lines' cards already."""
    for name in (
        "away_ms", "idle_ms", "offered_ms", "handling_ms", "wrapping_ms",
        "worked_as_planned_ms", "worked_in_breaks_ms",
    ):  # fmt: skip
        setattr(total, name, getattr(total, name) + getattr(card, name))


def _subject(key: LineKey, by: By, measures: Measures) -> str:
    match by:
        case By.QUEUE:
            return key.queue
        case By.CATEGORY:
            return key.category
        case By.CHANNEL:
            return key.channel
        case By.TIER:
            return key.tier or "(none)"
        case _:
            return _center_name(measures)


def _center_name(measures: Measures) -> str:
    return measures.center.name if measures.center is not None else "center"


def _plus(one: Planned, other: Planned) -> Planned:
    return Planned(*(a + b for a, b in zip(one, other, strict=True)))


def _labour(measures: Measures, team: str, card: Card, planned: Planned, prices: Prices) -> float:
    """Return what an agent's day costs."""
    center = measures.center
    group = center.teams[team].cost_group if center is not None and team in center.teams else ""
    hours_ms = card.signed_in_ms if measures.agents.plan is None else planned.paid_ms
    return (
        prices.per_hour.get(group, 0.0) * hours_ms / 3_600_000
        + prices.per_contact.get(group, 0.0) * card.handled
    )


def _score(
    label: str,
    subject: str,
    total: _Sum,
    measures: Measures,
    by: By,
    *,
    plan: ShiftPlan | None,
    prices: Prices | None,
) -> Score:
    card, planned, cost = total.card, total.planned, total.cost
    timed = by in _OF_AGENTS or by is By.CENTER
    priced = prices is not None and timed
    promises = _promises(card, measures)
    met, breached = sum(p.met for p in promises), sum(p.breached for p in promises)
    return Score(
        period=label,
        subject=subject,
        team=total.team,
        **waits_of(card),
        **work_of(card),
        **afterwards_of(card),
        sla_met=met,
        sla_breached=breached,
        sla_met_share=formulas.sla_met_share(met, breached),
        signed_in_ms=card.signed_in_ms if timed else None,
        busy_ms=card.busy_ms if timed else None,
        paid_ms=planned.paid_ms if timed and plan is not None else None,
        occupancy=formulas.occupancy_over_signed_in(card.busy_ms, card.signed_in_ms),
        utilisation=formulas.utilisation_over_paid(card.busy_ms, planned.paid_ms),
        adherence=formulas.adherence_to_plan(
            card.worked_as_planned_ms, card.worked_in_breaks_ms, planned.work_ms, planned.away_ms
        ),
        cost=cost if priced else None,
        cost_per_contact=formulas.cost_per_contact(cost, card.handled) if priced else None,
        cost_per_resolved_contact=(
            formulas.cost_per_resolved_contact(cost, card.resolved) if priced else None
        ),
        predictions=card.predictions,
        mean_prediction_error_ms=formulas.mean_prediction_error_ms(
            card.predicted_error_ms, card.predictions
        ),
        mean_absolute_prediction_error_ms=formulas.mean_absolute_prediction_error_ms(
            card.predicted_off_ms, card.predictions
        ),
        predicted_within_30_s=formulas.predicted_within_30_s(
            card.predicted_close, card.predictions
        ),
        promises=promises,
    )


def _promises(card: Card, measures: Measures) -> tuple[PromiseScore, ...]:
    plan = measures.center.promises if measures.center is not None else {}
    return tuple(
        PromiseScore(
            promise=name,
            started=counts.started,
            met=counts.met,
            breached=counts.breached,
            canceled=counts.canceled,
            sla_met_share=formulas.sla_met_share(counts.met, counts.breached),
            objective=plan[name].objective_percent / 100 if name in plan else 0.0,
        )
        for name, counts in sorted(card.promises.items())
    )
