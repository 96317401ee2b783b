"""Solve small Markov chains exactly: states found from their moves, sparse LU, no dice.

A model gives `moves(state)`: (rate per minute, next state) pairs. States are tuples of small
integers; queues without end are cut where the probability beyond is below `EDGE_MASS_MAX`, which
is checked, not assumed. Source: Stewart, Introduction to the Numerical Solution of Markov Chains
(1994), for LU on the singular generator and for uniformization.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from scipy import sparse, stats
from scipy.sparse import linalg

from simulation.erlang import Array

State = tuple[int, ...]
Moves = Callable[[State], Iterable[tuple[float, State]]]
CappedMoves = Callable[[State, Sequence[int]], Iterable[tuple[float, State]]]

# The rule is 1e-12; a mean weighs the far tail by its length, so we go further.
EDGE_MASS_MAX: Final = 1e-15
STATES_MAX: Final = 400_000
_REFINEMENTS: Final = 3
_SETTLED: Final = 1e-16  # a step that moves less than this changes nothing that is checked
_SETTLED_EVERY: Final = 32
_SEARCHES_MAX: Final = 100
_UNSETTLED: Final = "it never settles; give more agents, or a patience to those who wait"
_FLAT_TAIL: Final = 0.99
_QUEUE_HOPELESS: Final = 2000


class ChainError(ValueError):
    """The chain is too large, or has no steady state; says what to change."""


@dataclass(frozen=True)
class Chain:
    """A finite chain: its states, and its rates as a sparse matrix [from, to] per minute."""

    states: Array
    index: dict[State, int]
    rates: Any

    def column(self, place: int) -> Array:
        """Return one component of each state."""
        answer: Array = self.states[:, place].astype(np.float64)
        return answer

    @cached_property
    def exits(self) -> Array:
        """Return the total rate out of each state."""
        answer: Array = np.asarray(self.rates.sum(axis=1)).ravel()
        return answer

    @cached_property
    def stationary(self) -> Array:
        """Return the steady-state probability of each state.

        One balance equation depends on the others; it is left out, a likely state's weight set
        to 1, and the rest solved by sparse LU with iterative refinement. No pivoting: the matrix
        is diagonally dominant by columns. Raises ChainError where nothing settles.
        """
        balance = (self.rates.T - sparse.diags(self.exits)).tocsc()
        size = balance.shape[0]
        likely = self._find_likely_state()
        kept = np.delete(np.arange(size), likely)
        inner = -balance[kept][:, kept].tocsc()
        known = balance[kept][:, [likely]].toarray().ravel()
        options = {"SymmetricMode": True}
        factors = linalg.splu(
            inner, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options
        )
        rest = factors.solve(known)
        for _ in range(_REFINEMENTS):
            rest += factors.solve(known - inner @ rest)
        if not np.isfinite(rest.sum()):
            raise ChainError(f"the probabilities of {size:,} states have no scale: {_UNSETTLED}")
        weights = np.insert(rest, likely, 1.0)
        answer: Array = weights / weights.sum()
        return answer

    def _step(self, top: float) -> Any:
        """Return the matrix of one uniformized step, [to, from]; `top` is at least every exit."""
        return (self.rates.T / top + sparse.diags(1 - self.exits / top)).tocsr()

    def _find_likely_state(self) -> int:
        """Return a state that is often visited: an empty centre may be as rare as 1e-20."""
        step = self._step(float(self.exits.max()))
        now = np.zeros(len(self.exits))
        now[0] = 1.0
        likely = -1
        for _ in range(_SEARCHES_MAX):
            for _ in range(_SETTLED_EVERY):
                now = step @ now
            if likely == (likely := int(now.argmax())):
                break
        return likely

    def after(self, start: Array, time_min: float) -> tuple[Array, Array]:
        """Return the distribution after a time, and minutes spent in each state until then.

        Uniformization: with Λ at least every exit rate, p(t) = Σ Poisson(k; Λt) p P^k and
        ∫p = (1/Λ) Σ P(Poisson(Λt) > k) p P^k. Steps that no longer change anything are summed at
        once. The probabilities of `start` need not add up to 1.
        """
        top = float(self.exits.max())
        if top == 0 or time_min == 0:
            return start, start * time_min
        mean = top * time_min
        last = math.ceil(mean + 10 * math.sqrt(mean) + 30)
        count = np.arange(last + 1)
        # Both are scaled to what they must add up to: logarithms of large means lose digits.
        chances, beyond = stats.poisson.pmf(count, mean), stats.poisson.sf(count, mean)
        chances /= chances.sum()
        beyond *= time_min / beyond.sum()
        step = self._step(top)
        now, end, spent = start, np.zeros_like(start), np.zeros_like(start)
        for number in count:
            end += chances[number] * now
            spent += beyond[number] * now
            then, now = now, step @ now
            if number % _SETTLED_EVERY == 0 and np.abs(now - then).sum() < _SETTLED:
                end += chances[number + 1 :].sum() * now
                spent += beyond[number + 1 :].sum() * now
                break
        return end, spent

    def until_absorbed(self, start: Array) -> Array:
        """Return the minutes spent in each state that has exits, before one that has none."""
        live = np.flatnonzero(self.exits > 0)
        inner = (sparse.diags(self.exits) - self.rates.T).tocsc()[live][:, live]
        spent = np.zeros_like(start)
        spent[live] = linalg.splu(inner.tocsc()).solve(start[live])
        return spent


def explore(starts: Iterable[State], moves: Moves) -> Chain:
    """Return the chain of all states that can be reached."""
    states = list(dict.fromkeys(starts))
    index = {state: number for number, state in enumerate(states)}
    rows: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    number = 0
    while number < len(states):
        for rate, target in moves(states[number]):
            if rate <= 0:
                continue
            place = index.setdefault(target, len(states))
            if place == len(states):
                states.append(target)
            rows.append(number)
            columns.append(place)
            values.append(rate)
        number += 1
        if len(states) > STATES_MAX:
            raise ChainError(
                f"more than {STATES_MAX:,} states: the chain is too large to solve exactly; "
                "take fewer agents or classes, shorter queues, or simulate"
            )
    size = len(states)
    rates = sparse.coo_matrix(
        (np.array(values, dtype=np.float64), (rows, columns)), shape=(size, size)
    ).tocsr()
    width = max(map(len, states))
    table = np.array([(*state, *(0,) * (width - len(state))) for state in states])
    return Chain(table.astype(np.float64), index, rates)


def solve_capped(
    start: State,
    moves: CappedMoves,
    queue_places: Sequence[int],
    first_caps: Sequence[int],
    *,
    edge_mass_max: float = EDGE_MASS_MAX,
) -> Chain:
    """Return a solved chain whose queues, at these places of the state, are cut far enough out.

    Each cap grows until the probability of standing at it is negligible; `moves(state, caps)` must
    not lead beyond `caps`. Raises ChainError when that never happens: a queue without end.
    """
    caps = list(first_caps)
    while True:
        chain = explore([start], _within(moves, tuple(caps)))
        grown = [
            _find_cap(chain, place, cap, edge_mass_max)
            for place, cap in zip(queue_places, caps, strict=True)
        ]
        if grown == caps:
            return chain
        caps = grown


def _within(moves: CappedMoves, caps: tuple[int, ...]) -> Moves:
    return lambda state: moves(state, caps)


def _find_cap(chain: Chain, place: int, cap: int, edge_mass_max: float) -> int:
    """Return this cap if little enough stands at it, else one where little enough should.

    Tails fall at least as fast as geometrically in the end, so the last steps say how far to go.
    """
    queue, chances = chain.column(place), chain.stationary
    edge, before = (float(chances[queue == cap - back].sum()) for back in (0, 3))
    if edge < edge_mass_max:
        return cap
    ratio = (edge / before) ** (1 / 3) if before > 0 else 1.0
    if cap > _QUEUE_HOPELESS and ratio > 1 - 1e-9:
        raise ChainError(f"a queue of {cap:,} is still growing: {_UNSETTLED}")
    if ratio > _FLAT_TAIL:
        return 2 * cap
    return cap + min(2 * cap, math.ceil(math.log(edge_mass_max / edge) / math.log(ratio)) + 1)
