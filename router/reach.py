"""Ask whether somebody can serve what a centre promises.

A category that no agent could ever serve, whatever its routing steps, would let its contacts
wait for ever; a channel that costs more than any agent's budget would never be offered. Agents
are compared as classes with the same team and skills, so the cost follows the number of
different classes, not of agents.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from router.center import AtClosing, Category, Center, LimitAction, Queue, WhenClosed
from router.problems import Problem
from router.ranges import LEVELS

LANGUAGE_PREFIX: Final = "lang:"

Levels: TypeAlias = dict[str, int]
Search: TypeAlias = tuple[Levels, frozenset[str] | None]


def is_language(skill: str) -> bool:
    """Say whether a skill is a language: `lang:en`."""
    return skill.startswith(LANGUAGE_PREFIX)


class _Workforce:
    """Index the classes of agents by skill."""

    def __init__(self, center: Center) -> None:
        classes: dict[tuple[str, tuple[tuple[str, int], ...]], Levels] = {}
        for agent in center.agents.values():
            classes.setdefault((agent.team, tuple(agent.skills.items())), agent.skills)
        self.classes = [(team, skills) for (team, _), skills in classes.items()]
        self.by_skill: dict[str, list[tuple[str, Levels]]] = {}
        self.best: Levels = {}
        for team, skills in self.classes:
            for skill, level in skills.items():
                self.by_skill.setdefault(skill, []).append((team, skills))
                self.best[skill] = max(level, self.best.get(skill, 0))

    def can_serve(self, search: Search) -> bool:
        """Say whether one class has all needs and is of an allowed team (None: any)."""
        needs, teams = search
        candidates = min((self.by_skill.get(skill, []) for skill in needs), key=len, default=None)
        return any(
            (teams is None or team in teams)
            and all(skills.get(skill, 0) >= level for skill, level in needs.items())
            for team, skills in (self.classes if candidates is None else candidates)
        )

    def lack(self, search: Search) -> str:
        """Say in words what a search fails on."""
        needs, teams = search
        for skill, level in needs.items():
            best = self.best.get(skill, 0)
            if best < level:
                known = f"the best has {best}" if best else "nobody has it"
                return f"it needs {skill} at {level} and {known}"
        wanted = ", ".join(f"{skill} {level}" for skill, level in needs.items()) or "nothing"
        if teams is not None:
            return f"it needs {wanted} from one agent of {', '.join(sorted(teams))}"
        return f"no single agent has all of {wanted}"


def check_reach(center: Center) -> tuple[Problem, ...]:
    """Return the categories, channels and skills that no agent answers to."""
    force = _Workforce(center)
    problems: list[Problem] = []
    skills, (low, high) = frozenset(center.skills), LEVELS
    for name, category in center.categories.items():
        # Such a need is an error of its own; that nobody can serve it would only repeat it.
        if any(
            need not in skills or not low <= level <= high for need, level in category.needs.items()
        ):
            continue
        searches = list(searches_of(center, category, category.needs))
        if searches and not any(force.can_serve(search) for search in searches):
            message = f"no agent could ever serve it: {force.lack(searches[-1])}"
            problems.append(Problem(("categories", name), message, at_key=True))
    budget = max((agent.capacity for agent in center.agents.values()), default=0)
    for name, channel in center.channels.items():
        if center.agents and channel.units > budget:
            message = f"{channel.units} units are more than any agent's capacity ({budget})"
            problems.append(Problem(("channels", name, "units"), message))
    problems += _check_skills(center, force)
    problems += _check_languages(center, force)
    return tuple(problems)


def _check_skills(center: Center, force: _Workforce) -> Iterator[Problem]:
    languages = [skill for skill in center.skills if is_language(skill)]
    needed = {skill for category in center.categories.values() for skill in category.needs}
    if any(category.language_level for category in center.categories.values()):
        needed.update(languages)
    for index, skill in enumerate(center.skills):
        if skill not in force.best:
            yield Problem(("skills", index), f'nobody has the skill "{skill}"', warning=True)
        elif skill not in needed:
            yield Problem(("skills", index), f'no category needs "{skill}"', warning=True)
    for name, category in center.categories.items():
        if category.language_level and not languages:
            message = f'languages are skills, but none in skills begins with "{LANGUAGE_PREFIX}"'
            yield Problem(("categories", name, "language_level"), message, warning=True)


def _check_languages(center: Center, force: _Workforce) -> Iterator[Problem]:
    """Warn of categories that some language, spoken by somebody, would leave unserved."""
    spoken = [skill for skill in center.skills if skill in force.best and is_language(skill)]
    for name, category in center.categories.items():
        for language in spoken if category.language_level else ():
            needs = {language: category.language_level} | category.needs
            searches = list(searches_of(center, category, needs))
            if searches and not any(force.can_serve(search) for search in searches):
                message = f"no agent could serve it in {language}: {force.lack(searches[-1])}"
                yield Problem(("categories", name, "language_level"), message, warning=True)


def searches_of(center: Center, category: Category, needs: Levels) -> Iterator[Search]:
    """Yield every search for an agent a contact can come to: needs and teams, step by step."""
    extra, queue = frozenset[str](), category.queue
    yield from _lines(center, queue, needs, extra)
    for step in category.steps:
        if step.deflect:
            return
        needs = {
            skill: min(level, step.lower.get(skill, level))
            for skill, level in needs.items()
            if skill not in step.drop
        }
        extra |= frozenset(step.add_teams)
        queue = step.overflow_to or queue
        yield from _lines(center, queue, needs, extra)


def _lines(center: Center, queue: str, needs: Levels, extra: frozenset[str]) -> Iterator[Search]:
    """Yield the search in a queue and in those that it overflows to at its limits."""
    seen: set[str] = set()
    while queue in center.queues and queue not in seen:
        seen.add(queue)
        teams = center.queues[queue].teams
        yield needs, (frozenset(teams) | extra if teams else None)
        queue = limit_overflow(center, queue)


def overflow_rings(center: Center) -> list[tuple[str, ...]]:
    """Return the rings of queues that overflow into each other at their limits, each once."""
    rings: list[tuple[str, ...]] = []
    done: set[str] = set()
    for start in center.queues:
        chain: dict[str, int] = {}
        name = start
        while name and name not in done and name not in chain:
            chain[name] = len(chain)
            name = limit_overflow(center, name)
        if name in chain:
            rings.append(tuple(chain)[chain[name] :])
        done.update(chain)
    return rings


def limit_overflow(center: Center, name: str) -> str:
    """Return the queue to which a queue overflows at a limit ("": to none)."""
    queue = center.queues.get(name)
    return "" if queue is None or not overflows_ever(queue) else queue.overflow_to


def overflows_ever(queue: Queue) -> bool:
    """Say whether a limit, or its hours, make a queue send contacts to another."""
    return (
        LimitAction.OVERFLOW in (queue.when_full, queue.when_late)
        or queue.when_closed is WhenClosed.OVERFLOW
        or queue.at_closing is AtClosing.OVERFLOW
    )
