"""Tell who can do what a contact needs.

Needs and skills are interned as sorted tuples, so that agents and contacts with the same set are
one class and a set is compared once.
"""

from __future__ import annotations

from typing import TypeAlias

Needs: TypeAlias = tuple[tuple[str, int], ...]


def needs_of(*parts: dict[str, int]) -> Needs:
    """Combine need maps (skill to lowest level); of two levels the higher holds."""
    merged: dict[str, int] = {}
    for part in parts:
        for skill, level in part.items():
            merged[skill] = max(level, merged.get(skill, 0))
    return tuple(sorted(merged.items()))


def relax(needs: Needs, lower: dict[str, int], drop: tuple[str, ...]) -> Needs:
    """Lower levels and let needs go; a level is never raised."""
    return tuple(
        (skill, min(level, lower.get(skill, level))) for skill, level in needs if skill not in drop
    )


def qualifies(skills: dict[str, int], needs: Needs) -> bool:
    """Say whether proficiency (1 to 10) reaches every need."""
    return first_gap(skills, needs) is None


def first_gap(skills: dict[str, int], needs: Needs) -> tuple[str, int, int] | None:
    """Return the first need not reached as (skill, needed, had), None if all hold."""
    for skill, level in needs:
        had = skills.get(skill, 0)
        if had < level:
            return skill, level, had
    return None


def proficiency(skills: dict[str, int], needs: Needs) -> int:
    """Return the summed proficiency in what is needed, 0 without needs."""
    total = 0
    for skill, _ in needs:
        total += skills.get(skill, 0)
    return total
