"""Fit everything that a history tells: `fit_history` returns a `Fit`, figures with errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations

import numpy as np

from simulation.fit.arrivals import ArrivalFit, fit_arrivals, group_days, kinds_of, open_days
from simulation.fit.behavior import AcceptanceFit, AttendanceFit, fit_acceptance, fit_attendance
from simulation.fit.busyness import Busyness, PartFactors, correlate, fit_busyness, fit_parts
from simulation.fit.durations import SHORT_S
from simulation.fit.figures import Array, Figure
from simulation.fit.handling import HandlingFit, PaceFit, fit_handling, fit_paces, fit_speeds
from simulation.fit.history import CountTable, Ending, History, Visit
from simulation.fit.returns import (
    REDIAL_WINDOW_S,
    REPEAT_WINDOW_S,
    ReturnFit,
    fit_redials,
    fit_repeats,
)
from simulation.fit.survival import HAZARD_EDGES_S, PatienceFit, fit_patience
from simulation.phrases import counted

__all__ = ["Fit", "FitOptions", "SourceFit", "fit_history"]

# A day this many times busier, or quieter, than the middle of its kind is told.
_UNUSUAL = 2.0
_DAYS_MIN = 5


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """What the user decides: days apart, and from when on a handling is one."""

    holidays: frozenset[date] = frozenset()
    short_below_s: float = SHORT_S
    redial_window_s: float = REDIAL_WINDOW_S
    repeat_window_s: float = REPEAT_WINDOW_S
    hazard_edges_s: tuple[float, ...] = HAZARD_EDGES_S


@dataclass(frozen=True, kw_only=True)
class SourceFit:
    """All of one source, a category on a channel.

    `mean_handle_s` is from counts, where single contacts are not known. `unusual` are days far
    from the middle of their kind: holidays, perhaps; `usual` is the busyness without them.
    """

    category: str
    channel: str
    arrivals: ArrivalFit
    busyness: Busyness
    alpha_by_moments: float
    unusual: tuple[date, ...]
    usual: Busyness | None
    mean_handle_s: Figure
    abandoned_share: Figure
    handling: HandlingFit | None
    patience: PatienceFit | None
    redials: ReturnFit | None
    repeats: ReturnFit | None

    @property
    def name(self) -> str:
        """Return the source's name."""
        return f"{self.category} ({self.channel})"


@dataclass(frozen=True, kw_only=True)
class ChannelFit:
    """Handling and patience of all sources of a channel, for those with too few contacts."""

    channel: str
    handling: HandlingFit
    patience: PatienceFit


@dataclass(frozen=True, kw_only=True)
class Correlation:
    """How the busyness of two sources goes together."""

    first: str
    second: str
    value: Figure


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Everything that was fitted. `parts` is of all sources together."""

    source: str
    zone: str
    first_day: date
    last_day: date
    days: int
    contacts: int
    sources: tuple[SourceFit, ...]
    parts: PartFactors | None
    correlations: tuple[Correlation, ...]
    channels: tuple[ChannelFit, ...]
    speeds: dict[str, tuple[Figure, ...]]
    paces: PaceFit | None
    acceptance: tuple[AcceptanceFit, ...]
    attendance: AttendanceFit | None
    notes: tuple[str, ...]
    holidays: frozenset[date] = field(default_factory=frozenset)


def fit_history(history: History, options: FitOptions | None = None) -> Fit:
    """Fit a history; sources without a single contact are left out, and told."""
    options = options or FitOptions()
    notes = list(history.notes)
    tables = []
    for table in history.tables:
        if table.totals.sum() > 0:
            tables.append(table)
        else:
            notes.append(f"{table.name}: no contact in all days; left out")
    speeds = {
        channel: fit_speeds([visit for visit in history.visits if visit.channel == channel])
        for channel in sorted({table.channel for table in tables})
    }
    channels = tuple(
        _fit_channel(channel, history.visits, found, options)
        for channel, found in speeds.items()
        if history.visits
    )
    by_source: dict[tuple[str, str], list[Visit]] = {}
    for visit in history.visits:
        by_source.setdefault((visit.category, visit.channel), []).append(visit)
    sources = tuple(
        _fit_source(
            table, by_source.get((table.category, table.channel), []), history, speeds, options
        )
        for table in tables
    )
    days = tables[0].days
    whole = np.sum([table.offered for table in tables], axis=0)
    kept = whole.sum(axis=1) > 0
    open_ = tuple(day for day, used in zip(days, kept, strict=True) if used)
    groups = group_days(kinds_of(open_, options.holidays))
    if len(open_) < _DAYS_MIN:
        notes.append(f"{counted(len(open_), 'day')}: too few to say how days differ")
    return Fit(
        source=history.source,
        zone=history.zone,
        first_day=days[0],
        last_day=days[-1],
        days=len(open_),
        contacts=round(float(whole.sum())),
        sources=sources,
        parts=fit_parts(whole[kept], tables[0].minutes, groups, open_),
        correlations=_correlations(tables, sources, options),
        channels=channels,
        speeds=speeds,
        paces=fit_paces(history.visits, speeds, options.short_below_s),
        acceptance=tuple(fit_acceptance(counts) for counts in history.offers),
        attendance=fit_attendance(history.shifts, history.presences, *history.span_ms),
        notes=tuple(notes),
        holidays=options.holidays & frozenset(days),
    )


def _fit_source(
    table: CountTable,
    visits: Sequence[Visit],
    history: History,
    speeds: dict[str, tuple[Figure, ...]],
    options: FitOptions,
) -> SourceFit:
    counted = open_days(table)
    groups = group_days(kinds_of(counted.days, options.holidays))
    handling = patience = redials = repeats = None
    abandoned = Figure(math.nan)
    if visits:
        handling = fit_handling(
            table.category, table.channel, visits, speeds[table.channel], options.short_below_s
        )
        patience = _patience(visits, options)
        end_ms = history.span_ms[1]
        redials = fit_redials(visits, end_ms, options.redial_window_s)
        repeats = fit_repeats(visits, end_ms, options.repeat_window_s)
    elif table.abandoned is not None:
        abandoned = _ratio(table.abandoned, table.offered)
    mean_handle = Figure(math.nan)
    if table.handle_s is not None:
        handled = table.handled
        if handled is None:
            handled = table.offered - (0 if table.abandoned is None else table.abandoned)
        mean_handle = _ratio(table.handle_s, handled)
    unusual = _unusual(counted, options.holidays)
    return SourceFit(
        category=table.category,
        channel=table.channel,
        arrivals=fit_arrivals(table, options.holidays),
        busyness=fit_busyness(counted.totals, groups),
        alpha_by_moments=_alpha_by_moments(counted, options.holidays),
        unusual=unusual,
        usual=_usual(counted, unusual, options.holidays),
        mean_handle_s=mean_handle,
        abandoned_share=abandoned,
        handling=handling,
        patience=patience,
        redials=redials,
        repeats=repeats,
    )


def _fit_channel(
    channel: str, visits: Sequence[Visit], speeds: tuple[Figure, ...], options: FitOptions
) -> ChannelFit:
    chosen = [visit for visit in visits if visit.channel == channel]
    return ChannelFit(
        channel=channel,
        handling=fit_handling("", channel, chosen, speeds, options.short_below_s),
        patience=_patience(chosen, options),
    )


def _patience(visits: Sequence[Visit], options: FitOptions) -> PatienceFit:
    waits = [visit for visit in visits if visit.wait_s is not None]
    return fit_patience(
        np.array([visit.wait_s for visit in waits], dtype=np.float64),
        np.array([visit.ending is Ending.ABANDONED for visit in waits], dtype=np.bool_),
        options.hazard_edges_s,
    )


def _ratio(parts: Array, wholes: Array) -> Figure:
    """Return a ratio of sums; its error from how days differ."""
    part, whole = parts.sum(axis=1), wholes.sum(axis=1)
    if whole.sum() <= 0:
        return Figure(math.nan)
    value = float(part.sum() / whole.sum())
    if len(part) < 2:
        return Figure(value)
    residual = (part - value * whole) / whole.mean()
    return Figure(value, float(residual.std(ddof=1)) / math.sqrt(len(part)))


def _alpha_by_moments(table: CountTable, holidays: frozenset[date]) -> float:
    """Return m² / (s² - m), pooled over day kinds: what a spreadsheet would give."""
    squares = excess = 0.0
    for rows in group_days(kinds_of(table.days, holidays)).values():
        if len(rows) > 1:
            totals = table.totals[rows]
            mean = float(totals.mean())
            excess += (float(totals.var(ddof=1)) - mean) * (len(rows) - 1)
            squares += mean * mean * (len(rows) - 1)
    if not squares:
        return math.nan
    return squares / excess if excess > 0 else math.inf


def _unusual(table: CountTable, holidays: frozenset[date]) -> tuple[date, ...]:
    found = []
    for rows in group_days(kinds_of(table.days, holidays)).values():
        totals = table.totals[rows]
        middle = float(np.median(totals))
        far = (totals > _UNUSUAL * middle) | (totals < middle / _UNUSUAL)
        # A handful of contacts may double by chance.
        if middle >= 30:
            found += [table.days[rows[index]] for index in np.flatnonzero(far)]
    return tuple(sorted(found))


def _usual(
    table: CountTable, unusual: tuple[date, ...], holidays: frozenset[date]
) -> Busyness | None:
    """Return the busyness of the days that are not unusual; None where all are usual."""
    if not unusual:
        return None
    rest = table.select(np.array([day not in unusual for day in table.days], dtype=np.bool_))
    return fit_busyness(rest.totals, group_days(kinds_of(rest.days, holidays)))


def _correlations(
    tables: Sequence[CountTable], sources: Sequence[SourceFit], options: FitOptions
) -> tuple[Correlation, ...]:
    found = []
    busy = {
        source.name
        for source in sources
        if source.busyness.relative_variance > 0 and source.busyness.p_value < 0.05
    }
    for one, other in combinations(tables, 2):
        if one.name not in busy or other.name not in busy:
            continue
        both = (one.totals > 0) & (other.totals > 0)
        days = tuple(day for day, used in zip(one.days, both, strict=True) if used)
        groups = group_days(kinds_of(days, options.holidays))
        value = correlate(one.totals[both], other.totals[both], groups)
        if math.isfinite(value.value):
            found.append(Correlation(first=one.name, second=other.name, value=value))
    return tuple(found)
