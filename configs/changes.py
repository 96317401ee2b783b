"""Name what a scenario may change: the words of `changes:`, frozen data.

`simulation.plan.changes` carries them out.
"""

from __future__ import annotations

from dataclasses import dataclass

_CLOSED = {"extra": "forbid"}


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Lead categories of some queues to one of them, served by all their teams."""

    __pydantic_config__ = _CLOSED

    queues: tuple[str, ...]
    into: str


@dataclass(frozen=True, kw_only=True)
class SecondSkill:
    """Teach some agents of a group one more skill; what it costs goes to `costs.once`."""

    __pydantic_config__ = _CLOSED

    group: str
    agents: int
    skill: str
    level: int
    teams: tuple[str, ...] = ()
    training_per_head: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Outsource:
    """Give a share of demands (none named: all) to a group that serves nothing else."""

    __pydantic_config__ = _CLOSED

    share: float
    group: str
    agents: int
    demands: tuple[str, ...] = ()
    level: int = 5
    per_contact: float = 0.0


@dataclass(frozen=True, kw_only=True)
class SiteLost:
    """Lose the desktops of whole groups for a while."""

    __pydantic_config__ = _CLOSED

    groups: tuple[str, ...]
    start: str
    end: str


@dataclass(frozen=True, kw_only=True)
class OtherHours:
    """Open and close at other times; a share of the contacts shut out comes while it is open."""

    __pydantic_config__ = _CLOSED

    opens: str
    closes: str
    come_later: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Change:
    """Change one thing of a scenario; exactly one of these is given.

    `demand` multiplies the volume, `bot` sets the share settled before it reaches the centre,
    both of `only` (none: of all demands). `sick` adds absence in `only` (none: all) groups.
    `agents` adds (or takes away) agents of groups, on their longest shift; with `start` and `end`
    those added work one more shift at these times, without a break. `replace` gives any value by
    its path, for example `center.queues.care.agent_policy: most_proficient`.
    """

    __pydantic_config__ = _CLOSED

    demand: float | None = None
    bot: float | None = None
    sick: float | None = None
    only: tuple[str, ...] = ()
    agents: dict[str, int] | None = None
    start: str = ""
    end: str = ""
    pool: Pool | None = None
    second_skill: SecondSkill | None = None
    outsource: Outsource | None = None
    site_lost: SiteLost | None = None
    hours: OtherHours | None = None
    replace: dict[str, str | int | float | bool] | None = None
