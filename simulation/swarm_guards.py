"""Draw who is kept for whom: reserves, teams that lend, pair weights."""

from __future__ import annotations

from dataclasses import replace

from router.center import Center, PairWeight, Queue, Team
from router.checks import check_center
from simulation.randomness import Lots


def draw_guards(
    lots: Lots, queues: dict[str, Queue], teams: dict[str, Team]
) -> tuple[dict[str, Queue], dict[str, Team]]:
    """Keep some agents for some queues, in some centres."""
    if lots.chance(0.5):
        return queues, teams
    guarded, kind = dict(queues), lots.between(0, 3)
    if kind in (0, 3):
        name = lots.pick(list(queues))
        reserve, band = lots.between(1, 3), lots.pick((0, 0, 1, 2))
        guarded[name] = replace(queues[name], reserve=reserve, reserve_band=band)
    if kind in (1, 3):
        teams = {
            name: replace(
                team,
                own_queues=tuple(lots.some(list(queues), 1, 2)),
                lend_percent=(percent := lots.pick((50, 80, 95))),
                lend_band=min(lots.pick((0, 5, 20)), 100 - percent),
                lend_window_ms=lots.pick((60_000, 600_000)),
            )
            if lots.chance(0.6)
            else team
            for name, team in teams.items()
        }
    if kind in (2, 3):
        teams = {
            name: replace(
                team, pairs={queue: _pair(lots) for queue in lots.some(list(queues), 0, 3)}
            )
            for name, team in teams.items()
        }
    return guarded, teams


def _pair(lots: Lots) -> PairWeight:
    return PairWeight(
        base_ms=lots.pick((0, -5_000, -40_000, 60_000)),
        wait=lots.pick((1, 1, 3)),
        idle=lots.pick((0, 0, 1)),
    )


def with_fit_reserves(center: Center) -> Center:
    """Give up a reserve that would keep more agents than there are for its queue."""
    unfit = {
        problem.path[1]
        for problem in check_center(center)
        if not problem.warning and problem.path[-1] == "reserve"
    }
    queues = {
        name: replace(queue, reserve=0, reserve_band=0) if name in unfit else queue
        for name, queue in center.queues.items()
    }
    return replace(center, queues=queues)
