"""Play cases of known truth: days in chunks, each reduced at once to what the figures need."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final
from zlib import crc32

import numpy as np

from simulation.plan.day import Day
from simulation.plan.estimates import Floats
from simulation.plan.prepared import Prepared
from simulation.plan.replications import Workers, merge, strata_of
from tests.validation.figures import Look, control_columns, controls_of, settle
from tests.validation.ledger import Played
from tests.validation.simulated import Simulated, cases
from tests.validation.verdicts import Verdict

FIRST_DAYS: Final = 60
DAYS_LEAST: Final = 20
# Days of one chunk, and of one round, as contacts: a few seconds of work.
_CHUNK_CONTACTS: Final = 40_000
_SAFETY: Final = 1.15


@dataclass(frozen=True)
class Chunk:
    """Some days, reduced: `columns[figure][day, part]`, `controls[day, control]`."""

    columns: tuple[Floats, ...]
    controls: Floats
    contacts: int
    cpu_s: float


@cache
def _case(name: str) -> tuple[Simulated, Prepared]:
    case = cases()[name]()
    return case, Prepared(case.scenario)


def play_chunk(name: str, seed: int, first: int, count: int, strata: int) -> Chunk:
    """Play some days of a case and reduce them: the work of one task."""
    began_s = time.process_time()
    case, prepared = _case(name)
    tallies, waits = [], []
    for replication in range(first, first + count):
        day = Day(prepared, seed, replication, strata=strata)
        tallies.append(day.play())
        if case.single_waits:
            found = np.asarray(day.customers.waits[0], dtype=np.float64)
            waits.append(found[int(len(found) * case.share_left_out) :])
    study = merge(case.scenario, seed, strata, tallies)
    look = Look(study, case.window, case.counted, waits)
    columns = tuple(np.stack(figure.columns(look), axis=1) for figure in case.figures)
    controls = control_columns(controls_of(case.scenario, case.window), study)
    contacts = int(study.staffed[..., -1].sum())
    return Chunk(columns, controls, contacts, time.process_time() - began_s)


def _chunks(
    crew: Workers, name: str, seed: int, first: int, days: int, strata: int
) -> Iterator[Chunk]:
    """Yield the days asked for, in their order."""
    volume = float(_case(name)[1].expected.sum()) + 1
    size = max(1, int(_CHUNK_CONTACTS / volume / strata)) * strata
    tasks = [
        (name, seed, start, min(size, first + days - start), strata)
        for start in range(first, first + days, size)
    ]
    return crew.each(play_chunk, tasks)


def play(
    name: str,
    crew: Workers,
    *,
    seed: int = 1,
    contacts_max: float = math.inf,
    sharper: float = 1.0,
    report: Callable[[str], None] = lambda _: None,
) -> Played:
    """Play a case until every figure is as sharp as its case wants, or the contacts are spent.

    `sharper` below 1 asks for more than the case does, above 1 for less.
    """
    case, prepared = _case(name)
    strata = strata_of(case.scenario)
    # Cases with one seed would share their customers, and so their luck.
    own_seed = crc32(name.encode()) + seed
    relative_max = case.relative_max * sharper
    chunks: list[Chunk] = []
    volume = float(prepared.expected.sum()) + 1
    first = max(DAYS_LEAST, int(min(FIRST_DAYS, contacts_max / volume)))
    wanted = _whole(first, strata)
    days = 0
    while True:
        chunks += _chunks(crew, name, own_seed, days, wanted - days, strata)
        days = wanted
        verdicts = judge(case, chunks)
        contacts = sum(chunk.contacts for chunk in chunks)
        worst = max(verdict.relative_error for verdict in verdicts)
        report(f"{name}: {days} days, {contacts:,} contacts, worst {worst:.2%}")
        most = int(days * contacts_max / max(contacts, 1))
        if worst <= relative_max or days >= most:
            cpu_s = sum(chunk.cpu_s for chunk in chunks)
            return Played(name, verdicts, days, contacts, cpu_s)
        # An early error is a guess: at most four times the days in one round.
        needed = days * min(4.0, _SAFETY * (worst / relative_max) ** 2)
        wanted = _whole(max(min(math.ceil(needed), most), days + 1), strata)


def judge(case: Simulated, chunks: list[Chunk]) -> tuple[Verdict, ...]:
    """Return a verdict for every figure of a case."""
    controls = np.concatenate([chunk.controls for chunk in chunks])
    strata = strata_of(case.scenario)
    return tuple(
        settle(
            figure,
            np.concatenate([chunk.columns[number] for chunk in chunks]),
            controls,
            strata,
            case.relative_max,
        )
        for number, figure in enumerate(case.figures)
    )


def _whole(days: int, strata: int) -> int:
    """Round up to whole rounds of the strata."""
    return -(-days // strata) * strata
