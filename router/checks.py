"""Check what must hold between the values of a centre.

The types are right when a `Center` exists; here are the ranges and the agreements: every name
that is used is known, steps widen, limits do not chase each other in a ring; each category can
be served by somebody (`router.reach`), calendars and policies are in order (`router.*_checks`).
Nothing raises: a check returns all it found, with the path to each value, so that the loader
can show the line and the router can refuse the version.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from router.calendar_checks import check_calendars
from router.canonical import encode_center
from router.center import (
    CHANNEL_KINDS,
    AgentPolicy,
    Category,
    Center,
    LimitAction,
    Promise,
    PromiseAction,
    Queue,
    Signal,
    Step,
)
from router.later_checks import check_later_settings
from router.problems import Path, Problem, show_duration, suggest
from router.ranges import CHANNEL_MAX, LEVELS, NAME_PATTERN, RANGES, WARNINGS, WEIGHTS
from router.reach import check_reach, is_language, overflow_rings, overflows_ever
from router.routing_checks import check_routing
from router.service_checks import check_service, overflows_overloaded

__all__ = ["Problem", "check_center", "check_values", "config_hash"]

# Promises of one kind are compared in pairs, which grows with the square.
_PAIRS_MAX: Final = 500

_is_name = re.compile(NAME_PATTERN).fullmatch


def check_center(center: Center) -> tuple[Problem, ...]:
    """Return everything wrong with a centre, errors and warnings; it may be used if no error is."""
    return check_values(center) + check_reach(center)


def config_hash(center: Center) -> str:
    """Name a configuration by its content: the first 16 hex digits of BLAKE2b-256.

    Hashed is its canonical JSON, fields and entries in their order, because the order
    of promises (first match) and of agents (`linear`) has a meaning. From which edition of the
    time zone rules and of the holidays a calendar's table was made is left out: a newer one that
    moves no opening makes no other centre.
    """
    calendars = {
        name: replace(calendar, table=replace(calendar.table, tz_version="", sources=()))
        for name, calendar in center.calendars.items()
    }
    body = encode_center(replace(center, calendars=calendars))
    return hashlib.blake2b(body, digest_size=32).hexdigest()[:16]


def check_values(center: Center) -> tuple[Problem, ...]:
    """Return what is wrong with single values and with names that point to others."""
    check = _Check(center)
    check.top()
    check.queues()
    for name, category in center.categories.items():
        check.category(("categories", name), category)
    check.agents()
    check.promises()
    check.problems += check_later_settings(center)
    check.problems += check_calendars(center)
    check.problems += (*check_routing(center), *check_service(center))
    return tuple(check.problems)


class _Check:
    """Collect the problems of one centre."""

    def __init__(self, center: Center) -> None:
        self.center = center
        self.problems: list[Problem] = []
        self.skills = frozenset(center.skills)
        self._near: dict[tuple[str, str], str] = {}

    # --- words ------------------------------------------------------------------

    def error(
        self, path: Path, message: str, suggestion: str = "", *, at_key: bool = False
    ) -> None:
        self.problems.append(Problem(path, message, suggestion, at_key=at_key))

    def warn(self, path: Path, message: str, *, at_key: bool = False) -> None:
        self.problems.append(Problem(path, message, warning=True, at_key=at_key))

    def near(self, what: str, name: str, known: Collection[str]) -> str:
        found = self._near.get((what, name))
        if found is None:
            found = self._near[what, name] = suggest(name, known)
        return found

    def known(
        self, path: Path, what: str, name: str, known: Collection[str], *, at_key: bool = False
    ) -> bool:
        """Report a name that is not among the known ones."""
        if name in known:
            return True
        self.error(path, f'no {what} "{name}"', self.near(what, name, known), at_key=at_key)
        return False

    def each_known(
        self, path: Path, what: str, names: tuple[str, ...], known: Collection[str]
    ) -> None:
        for index, name in enumerate(names):
            self.known((*path, index), what, name, known)
            if name in names[:index]:
                self.error((*path, index), f'"{name}" stands here twice; remove one')

    def name(self, path: Path, name: str, *, at_key: bool = True) -> None:
        if not _is_name(name):
            self.error(
                path,
                f'"{name[:80]}" is no name; use 1 to 64 letters, digits, dots, colons, '
                "hyphens or underscores",
                at_key=at_key,
            )

    def range(
        self, path: Path, value: int, bounds: tuple[int, int], *, duration: bool = False
    ) -> None:
        low, high = bounds
        if low <= value <= high:
            return
        if duration:
            least = "-1" if low == -1 else show_duration(low)
            limit = f"at least {least}" if value < low else "at most 10 years"
            self.error(path, f"{show_duration(value)} is out of range; must be {limit}")
        else:
            limit = f"at least {low}" if value < low else f"at most {high}"
            self.error(path, f"{value} is out of range; must be {limit}")

    def ranges(self, path: Path, part: object) -> None:
        """Check all fields of a part against `RANGES`."""
        for field, bounds in RANGES[type(part).__name__].items():
            self.range((*path, field), getattr(part, field), bounds, duration=field.endswith("_ms"))

    # --- the centre itself --------------------------------------------------------

    def top(self) -> None:
        center = self.center
        self.ranges((), center)
        self.ranges(("offers",), center.offers)
        self.ranges(("limits",), center.limits)
        self.name(("name",), center.name, at_key=False)
        for field in ("skills", "tiers", "attributes"):
            names = getattr(center, field)
            seen: set[str] = set()
            for index, name in enumerate(names):
                self.name((field, index), name, at_key=False)
                if name in seen:
                    self.error((field, index), f'"{name}" stands here twice; remove one')
                seen.add(name)
        for field in (
            "queues",
            "categories",
            "teams",
            "agents",
            "promises",
            "presences",
            "calendars",
        ):
            for name in getattr(center, field):
                self.name((field, name), name)
        for field in ("channels", "queues", "categories"):
            if not getattr(center, field):
                self.error((field,), "nothing can be routed without one; give at least one")
        if center.unknown_skill_queue:
            self.known(("unknown_skill_queue",), "queue", center.unknown_skill_queue, center.queues)
        for field, held, limit in (
            ("agents", len(center.agents), center.limits.agents),
            ("queues", len(center.queues), center.limits.queues),
        ):
            if held > limit:
                self.error((field,), f"{held} {field}, but limits.{field} is {limit}; raise it")
        self.presences()
        for name, channel in center.channels.items():
            self.known(("channels", name), "kind of channel", name, CHANNEL_KINDS, at_key=True)
            self.ranges(("channels", name), channel)
            if channel.interrupts and channel.interruptible:
                self.error(
                    ("channels", name, "interruptible"),
                    "a channel that interrupts others cannot be interruptible itself; choose one",
                )

    def presences(self) -> None:
        presences, unanswered = self.center.presences, self.center.offers.unanswered_presence
        if not presences.get("available", False):
            self.error(
                ("presences", "available") if "available" in presences else ("presences",),
                'agents sign in as "available", so this presence must take work; '
                "write available: true",
            )
        path = ("offers", "unanswered_presence")
        if self.known(path, "presence", unanswered, presences) and presences[unanswered]:
            self.error(
                path,
                f'the presence after unanswered offers must not take work, but "{unanswered}" '
                "does; choose one that is false in presences",
            )

    # --- queues ---------------------------------------------------------------------

    def queues(self) -> None:
        center = self.center
        for name, queue in center.queues.items():
            path: Path = ("queues", name)
            self.ranges(path, queue)
            self.each_known((*path, "teams"), "team", queue.teams, center.teams)
            for agent, share in queue.weights.items():
                if self.known(
                    (*path, "weights", agent), "agent", agent, center.agents, at_key=True
                ):
                    self.range((*path, "weights", agent), share, WEIGHTS)
            if queue.weights and queue.agent_policy is not AgentPolicy.WEIGHTED_SHARE:
                self.warn(
                    (*path, "weights"),
                    f"unused under agent_policy {queue.agent_policy.value}; "
                    "choose weighted_share or remove them",
                )
            self.queue_limits(path, queue)
        for ring in overflow_rings(center):
            around = " -> ".join((*ring, ring[0]))
            self.error(
                ("queues", ring[0], "overflow_to"),
                f"contacts would overflow in a ring: {around}; break it at one of them",
            )

    def queue_limits(self, path: Path, queue: Queue) -> None:
        overflows = overflows_ever(queue)
        if queue.when_late is LimitAction.REFUSE:
            self.error(
                (*path, "when_late"),
                "a contact that already waits cannot be refused; use overflow, expire or deflect",
            )
        if queue.overflow_to:
            self.known((*path, "overflow_to"), "queue", queue.overflow_to, self.center.queues)
            if not overflows and not overflows_overloaded(self.center, queue):
                message = "unused; say overflow in a when_... or at_closing, or remove it"
                self.warn((*path, "overflow_to"), message)
        for field, action, limit in (
            ("when_full", queue.when_full, "length_max"),
            ("when_late", queue.when_late, "wait_max_ms"),
        ):
            if action is LimitAction.OVERFLOW and not queue.overflow_to:
                self.error((*path, field), "overflow needs a queue to go to; add overflow_to")
            if action in (LimitAction.OVERFLOW, LimitAction.DEFLECT) and not getattr(queue, limit):
                self.warn((*path, field), f"never happens without a limit; add {limit}")

    # --- categories -----------------------------------------------------------------

    def category(self, path: Path, category: Category) -> None:
        center = self.center
        self.ranges(path, category)
        self.known((*path, "queue"), "queue", category.queue, center.queues)
        self.levels((*path, "needs"), category.needs)
        held, most = len(category.needs), center.limits.skills_per_contact
        if held > most:
            message = f"{held} needs, but limits.skills_per_contact is {most}; raise it"
            self.error((*path, "needs"), message)
        needs = dict(category.needs)
        if category.language_level:
            for skill in center.skills:
                if is_language(skill):
                    needs.setdefault(skill, category.language_level)
        queue, before_ms, away = category.queue, 0, False
        for index, step in enumerate(category.steps):
            place = (*path, "steps", index)
            self.ranges(place, step)
            if 0 < step.after_ms <= before_ms:
                self.error(
                    (*place, "after_ms"),
                    f"{show_duration(step.after_ms)} does not follow the step before "
                    f"({show_duration(before_ms)}); order the steps by time",
                )
            before_ms = max(before_ms, step.after_ms)
            if away:
                self.error(place, "never reached: the step before deflects; remove one of them")
            self.step(place, step, needs, queue)
            queue, away = step.overflow_to or queue, step.deflect

    def levels(self, path: Path, levels: Mapping[str, int]) -> None:
        for skill, message, near, at_key in self.level_faults(levels):
            self.error((*path, skill), message, near, at_key=at_key)

    def level_faults(self, levels: Mapping[str, int]) -> list[tuple[str, str, str, bool]]:
        faults = []
        low, high = LEVELS
        for skill, level in levels.items():
            if skill not in self.skills:
                near = self.near("skill", skill, self.center.skills)
                faults.append((skill, f'no skill "{skill}"', near, True))
            if not low <= level <= high:
                message = f"level {level} is out of range; levels go from {low} to {high}"
                faults.append((skill, message, "", False))
        return faults

    def step(self, path: Path, step: Step, needs: dict[str, int], queue: str) -> None:
        """Check one step against the needs and the queue at its time, and apply it to `needs`."""
        center = self.center
        self.levels((*path, "lower"), step.lower)
        for skill, level in step.lower.items():
            place = (*path, "lower", skill)
            if skill not in self.skills:
                continue
            if skill not in needs:
                near = self.near("need", skill, needs)
                self.error(place, f'"{skill}" is no need at this step', near, at_key=True)
            elif level >= needs[skill]:
                self.error(place, f"{level} does not lower the need, which is {needs[skill]} here")
            else:
                needs[skill] = level
        for index, skill in enumerate(step.drop):
            if needs.pop(skill, None) is None:
                near = suggest(skill, needs)
                self.error((*path, "drop", index), f'"{skill}" is no need at this step', near)
        self.each_known((*path, "add_teams"), "team", step.add_teams, center.teams)
        line = center.queues.get(queue)
        if step.add_teams and line is not None and not line.teams:
            self.warn(
                (*path, "add_teams"),
                f'queue "{queue}" is open to all teams anyway; give the queue teams or remove this',
            )
        if step.overflow_to:
            self.known((*path, "overflow_to"), "queue", step.overflow_to, center.queues)
            if step.overflow_to == queue:
                self.error((*path, "overflow_to"), f'the contact is in queue "{queue}" already')
        if step.overflow_to and step.deflect:
            self.error((*path, "deflect"), "a step cannot both overflow and deflect; choose one")
        if step == Step(after_ms=step.after_ms):
            self.warn(path, "changes nothing; say what it lowers, drops, adds or does")

    # --- agents -----------------------------------------------------------------------

    def agents(self) -> None:
        """Check the agents; equal skills are checked once, since thousands share a few sets."""
        center = self.center
        faults_of: dict[tuple[tuple[str, int], ...], list[tuple[str, str, str, bool]]] = {}
        low, high = RANGES["Agent"]["capacity"]
        for name, agent in center.agents.items():
            if agent.team not in center.teams:
                self.known(("agents", name, "team"), "team", agent.team, center.teams)
            if not low <= agent.capacity <= high:
                self.range(("agents", name, "capacity"), agent.capacity, (low, high))
            skills = tuple(agent.skills.items())
            faults = faults_of.get(skills)
            if faults is None:
                faults = faults_of[skills] = self.level_faults(agent.skills)
            for skill, message, near, at_key in faults:
                self.error(("agents", name, "skills", skill), message, near, at_key=at_key)
            for channel, most in agent.channel_max.items():
                path = ("agents", name, "channel_max", channel)
                if self.known(path, "channel", channel, center.channels, at_key=True):
                    self.range(path, most, CHANNEL_MAX)

    # --- promises -----------------------------------------------------------------------

    def promises(self) -> None:
        center = self.center
        for name, promise in center.promises.items():
            path: Path = ("promises", name)
            self.ranges(path, promise)
            for field, what, known in (
                ("categories", "category", center.categories),
                ("channels", "channel", center.channels),
                ("tiers", "tier", center.tiers),
            ):
                self.each_known((*path, field), what, getattr(promise, field), known)
            self.promise_warnings(path, promise)
            self.promise_signals(path, promise)
            self.promise_actions(path, promise)
        self.promise_order()

    def promise_warnings(self, path: Path, promise: Promise) -> None:
        before = 0
        for index, percent in enumerate(promise.warnings):
            place = (*path, "warnings", index)
            self.range(place, percent, WARNINGS)
            if percent <= before:
                self.error(place, f"{percent} does not follow {before}; order them, none twice")
            before = max(before, percent)

    def promise_signals(self, path: Path, promise: Promise) -> None:
        for field, other in (("stop", "start"), ("resume", "pause")):
            opposite: tuple[Signal, ...] = getattr(promise, other)
            for index, signal in enumerate(getattr(promise, field)):
                if signal in opposite:
                    self.error(
                        (*path, field, index),
                        f'"{signal.value}" is in {other} too; a signal can do only one of them',
                    )

    def promise_actions(self, path: Path, promise: Promise) -> None:
        escalates = False
        for field, action in (("on_warning", promise.on_warning), ("on_breach", promise.on_breach)):
            self.ranges((*path, field), action)
            escalates |= action.escalate
            if action.escalate and not promise.escalation:
                self.error(
                    (*path, field, "escalate"),
                    "nobody to escalate to; name the chain in escalation",
                )
        if promise.on_warning != PromiseAction() and not promise.warnings:
            self.warn((*path, "on_warning"), "never happens without warnings; add warnings: [80]")
        if promise.escalation and not escalates:
            self.warn(
                (*path, "escalation"), "unused; say escalate: true in on_breach or on_warning"
            )
        for index, to in enumerate(promise.escalation):
            self.name((*path, "escalation", index), to, at_key=False)

    def promise_order(self) -> None:
        """Warn of promises that an earlier one of their kind always takes the contacts of."""
        earlier: dict[str, list[tuple[str, Promise]]] = {}
        for name, promise in self.center.promises.items():
            same = earlier.setdefault(promise.kind.value, [])
            for other, before in same[:_PAIRS_MAX]:
                if all(
                    _covers(getattr(before, field), getattr(promise, field))
                    for field in ("categories", "channels", "tiers", "priorities")
                ):
                    self.warn(
                        ("promises", name),
                        f'never holds: "{other}" stands before it and matches all of its contacts; '
                        "put the narrower one first",
                        at_key=True,
                    )
                    break
            same.append((name, promise))


def _covers(wide: tuple[str | int, ...], narrow: tuple[str | int, ...]) -> bool:
    """Say whether a match list takes everything that another takes (empty takes all)."""
    return not wide or (bool(narrow) and set(narrow) <= set(wide))
