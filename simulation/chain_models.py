"""Solve one pool with a twist exactly: redials, retrials, chats, blending, bursts, callbacks.

All laws exponential, rates per minute; each function returns plain numbers under the names of the
measures (`wait_mean_min`: time in queue over all arrivals). Sources: Bhulai & Koole, IEEE TAC 48
(2003), for blending; Falin & Templeton (1997) for retrials; the chains are solved as in `chains`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from simulation.chains import Chain, State, solve_capped
from simulation.erlang import Array, check_rates
from simulation.general_service import check_stable

Answer = dict[str, float]


def _mean(chain: Chain, values: Array) -> float:
    return float(chain.stationary @ values)


def solve_redials(
    arrival_rate_per_min: float,
    service_rate_per_min: float,
    patience_rate_per_min: float,
    agents: int,
    *,
    redial_probability: float,
    redial_delay_mean_min: float,
) -> Answer:
    """Let a share of those who give up try again after a while, with new patience and work.

    State: (in system, waiting to redial). `arrival_rate_per_min` counts first attempts only.
    """
    check_rates(arrival_rate_per_min, service_rate_per_min, agents)
    redial_rate = 1 / redial_delay_mean_min

    def moves(state: State, caps: Sequence[int]) -> Iterator[tuple[float, State]]:
        present, away = state
        leaving = max(present - agents, 0) * patience_rate_per_min
        if present < caps[0]:
            yield arrival_rate_per_min, (present + 1, away)
            yield away * redial_rate, (present + 1, max(away - 1, 0))
        if present:
            yield min(present, agents) * service_rate_per_min, (present - 1, away)
            if away < caps[1]:
                yield leaving * redial_probability, (present - 1, away + 1)
            yield leaving * (1 - redial_probability), (present - 1, away)

    chain = solve_capped((0, 0), moves, (0, 1), (agents + 24, 24))
    queue = _mean(chain, np.maximum(chain.column(0) - agents, 0))
    away = _mean(chain, chain.column(1))
    busy = _mean(chain, np.minimum(chain.column(0), agents))
    attempts = arrival_rate_per_min + redial_rate * away
    lost = patience_rate_per_min * queue * (1 - redial_probability)
    return {
        "queue_length_mean": queue,
        "redialling_customers_mean": away,
        "attempts_per_min": attempts,
        "abandon_fraction_per_attempt": patience_rate_per_min * queue / attempts,
        "lost_customer_fraction": lost / arrival_rate_per_min,
        "busy_agents_mean": busy,
        "occupancy": busy / agents,
        "wait_mean_per_attempt_min": queue / attempts,
    }


def solve_retrials(
    arrival_rate_per_min: float,
    service_rate_per_min: float,
    agents: int,
    *,
    redial_rate_per_min: float,
) -> Answer:
    """Let everyone who finds no agent, and no place to wait, try again for ever (M/M/c/c)."""
    check_rates(arrival_rate_per_min, service_rate_per_min, agents)

    def moves(state: State, caps: Sequence[int]) -> Iterator[tuple[float, State]]:
        busy, away = state
        if busy < agents:
            yield arrival_rate_per_min, (busy + 1, away)
            if away:
                yield away * redial_rate_per_min, (busy + 1, away - 1)
        elif away < caps[0]:
            yield arrival_rate_per_min, (busy, away + 1)
        if busy:
            yield busy * service_rate_per_min, (busy - 1, away)

    chain = solve_capped((0, 0), moves, (1,), (48,))
    away = _mean(chain, chain.column(1))
    return {
        "all_busy_probability": _mean(chain, (chain.column(0) == agents).astype(np.float64)),
        "redialling_customers_mean": away,
        "time_redialling_mean_min": away / arrival_rate_per_min,
        "busy_agents_mean": _mean(chain, chain.column(0)),
    }


def solve_chats(
    arrival_rate_per_min: float,
    agents: int,
    completion_rates_per_chat_per_min: Sequence[float],
    *,
    patience_rate_per_min: float,
) -> Answer:
    """Let agents hold several chats, each at the rate for the number its agent has.

    `completion_rates_per_chat_per_min[j-1]` with j chats; their count is the most an agent takes.
    A chat goes to the agent with the fewest, else it waits. State: agents with 0, 1, .. chats, and
    the queue.
    """
    places = len(completion_rates_per_chat_per_min)

    def shift(state: State, source: int, target: int, queue: int) -> State:
        counts = list(state)
        counts[source] -= 1
        counts[target] += 1
        counts[-1] += queue
        return tuple(counts)

    def moves(state: State, caps: Sequence[int]) -> Iterator[tuple[float, State]]:
        least = next((held for held in range(places) if state[held]), None)
        if least is not None:
            yield arrival_rate_per_min, shift(state, least, least + 1, 0)
        elif state[-1] < caps[0]:
            yield arrival_rate_per_min, shift(state, 0, 0, 1)
        for held in range(1, places + 1):
            rate = state[held] * held * completion_rates_per_chat_per_min[held - 1]
            yield (
                rate,
                shift(state, held, held, -1) if state[-1] else shift(state, held, held - 1, 0),
            )
        if state[-1]:
            yield state[-1] * patience_rate_per_min, shift(state, 0, 0, -1)

    start = (agents, *(0,) * places, 0)
    chain = solve_capped(start, moves, (places + 1,), (32,))
    queue = _mean(chain, chain.column(places + 1))
    full = (chain.column(places) == agents).astype(np.float64)
    chats = sum(held * _mean(chain, chain.column(held)) for held in range(1, places + 1))
    idle = _mean(chain, chain.column(0))
    abandoned = patience_rate_per_min * queue / arrival_rate_per_min
    return {
        "delay_probability": _mean(chain, full),
        "queue_length_mean": queue,
        "wait_mean_min": queue / arrival_rate_per_min,
        "abandon_fraction": abandoned,
        "chats_in_progress_mean": chats,
        "chats_per_busy_agent_mean": chats / (agents - idle),
        "idle_agent_fraction": idle / agents,
        "chat_duration_mean_min": chats / (arrival_rate_per_min * (1 - abandoned)),
    }


def solve_blending(
    arrival_rate_per_min: float,
    service_rate_per_min: float,
    backlog_service_rate_per_min: float,
    agents: int,
    *,
    start_below: int,
    patience_rate_per_min: float = 0.0,
) -> Answer:
    """Let agents work off an endless backlog while fewer than `start_below` of them are busy.

    Inbound contacts take any idle agent; backlog work is not interrupted. State: (inbound at work,
    backlog at work, inbound waiting).
    """
    check_rates(arrival_rate_per_min, service_rate_per_min, agents)
    if not 0 <= start_below <= agents:
        raise ValueError(f"backlog below {start_below} busy of {agents}: give 0 to {agents}")

    def settle(inbound: int, backlog: int, queue: int) -> State:
        if queue and inbound + backlog < agents:
            return (inbound + 1, backlog, queue - 1)
        return (inbound, max(backlog, start_below - inbound), queue)

    def moves(state: State, caps: Sequence[int]) -> Iterator[tuple[float, State]]:
        inbound, backlog, queue = state
        if inbound + backlog < agents:
            yield arrival_rate_per_min, (inbound + 1, backlog, 0)
        elif queue < caps[0]:
            yield arrival_rate_per_min, (inbound, backlog, queue + 1)
        if inbound:
            yield inbound * service_rate_per_min, settle(inbound - 1, backlog, queue)
        if backlog:
            yield backlog * backlog_service_rate_per_min, settle(inbound, backlog - 1, queue)
        if queue:
            yield queue * patience_rate_per_min, (inbound, backlog, queue - 1)

    chain = solve_capped((0, start_below, 0), moves, (2,), (48,))
    busy = chain.column(0) + chain.column(1)
    queue = _mean(chain, chain.column(2))
    return {
        "delay_probability": _mean(chain, (busy == agents).astype(np.float64)),
        "queue_length_mean": queue,
        "wait_mean_min": queue / arrival_rate_per_min,
        "abandon_fraction": patience_rate_per_min * queue / arrival_rate_per_min,
        "busy_agents_mean": _mean(chain, busy),
        "occupancy": _mean(chain, busy) / agents,
        "backlog_items_done_per_min": backlog_service_rate_per_min * _mean(chain, chain.column(1)),
    }


def solve_bursts(
    arrival_rates_per_min: Sequence[float],
    state_durations_min: Sequence[float],
    service_rate_per_min: float,
    agents: int,
) -> Answer:
    """Let the arrival rate change between states in a cycle (MMPP/M/n), queueing without end.

    Each state of the rate lasts an exponential time of this mean, then the next one follows.
    `delay_probability` is per arrival, not per time. State: (of the rate, in system).
    """
    phases = len(arrival_rates_per_min)
    cycle = sum(state_durations_min)
    pairs = zip(arrival_rates_per_min, state_durations_min, strict=True)
    rate_mean = sum(rate * time / cycle for rate, time in pairs)
    check_rates(rate_mean, service_rate_per_min, agents)

    def moves(state: State, caps: Sequence[int]) -> Iterator[tuple[float, State]]:
        phase, present = state
        yield 1 / state_durations_min[phase], ((phase + 1) % phases, present)
        if present < caps[0]:
            yield arrival_rates_per_min[phase], (phase, present + 1)
        if present:
            yield min(present, agents) * service_rate_per_min, (phase, present - 1)

    check_stable(rate_mean / (agents * service_rate_per_min), f"{agents} agents")
    chain = solve_capped((0, 0), moves, (1,), (agents + 200,))
    rates = np.array(arrival_rates_per_min)[chain.column(0).astype(np.int64)]
    queue = _mean(chain, np.maximum(chain.column(1) - agents, 0))
    return {
        "arrival_rate_mean_per_min": rate_mean,
        "occupancy": _mean(chain, np.minimum(chain.column(1), agents)) / agents,
        "delay_probability": _mean(chain, rates * (chain.column(1) >= agents)) / rate_mean,
        "queue_length_mean": queue,
        "wait_mean_min": queue / rate_mean,
    }


def solve_callbacks(
    arrival_rate_per_min: float,
    service_rate_per_min: float,
    patience_rate_per_min: float,
    agents: int,
    *,
    offered_from_waiting: int,
    accept_probability: float,
    idle_kept: int,
) -> Answer:
    """Offer a callback to arrivals that find a long queue; call when enough agents are idle.

    An arrival that finds `offered_from_waiting` live contacts waiting takes one with
    `accept_probability`. A callback starts as soon as more than `idle_kept` agents are idle, takes
    as long as a live contact and never fails. State: (busy agents, live waiting, callbacks due).
    """
    check_rates(arrival_rate_per_min, service_rate_per_min, agents)
    if not 0 <= idle_kept < agents:
        raise ValueError(f"{idle_kept} of {agents} agents kept idle: give 0 to {agents - 1}")

    def settle(busy: int, queue: int, due: int) -> State:
        if queue and busy < agents:
            busy, queue = busy + 1, queue - 1
        started = min(due, max(agents - busy - idle_kept, 0))
        return (busy + started, queue, due - started)

    def moves(state: State, caps: Sequence[int]) -> Iterator[tuple[float, State]]:
        busy, queue, due = state
        share = accept_probability if queue >= offered_from_waiting and busy == agents else 0.0
        if busy < agents:
            yield arrival_rate_per_min, (busy + 1, queue, due)
        elif queue < caps[0]:
            yield arrival_rate_per_min * (1 - share), (busy, queue + 1, due)
        if due < caps[1]:
            yield arrival_rate_per_min * share, (busy, queue, due + 1)
        if busy:
            yield busy * service_rate_per_min, settle(busy - 1, queue, due)
        if queue:
            yield queue * patience_rate_per_min, (busy, queue - 1, due)

    chain = solve_capped((0, 0, 0), moves, (1, 2), (32, 64))
    offered = (chain.column(0) == agents) & (chain.column(1) >= offered_from_waiting)
    fraction = accept_probability * _mean(chain, offered.astype(np.float64))
    queue, due = _mean(chain, chain.column(1)), _mean(chain, chain.column(2))
    live = arrival_rate_per_min * (1 - fraction)
    return {
        "callback_fraction": fraction,
        "queue_length_mean": queue,
        "wait_mean_live_min": queue / live,
        "abandon_fraction_live": patience_rate_per_min * queue / live,
        "callback_backlog_mean": due,
        "callback_wait_mean_min": due / (arrival_rate_per_min * fraction),
        "occupancy": _mean(chain, chain.column(0)) / agents,
    }
