"""Plant one mistake in a good configuration and say where it must be found.

A mistake replaces a text that stands exactly once. In the new text `^^` (taken out before it is
written) marks the place that the finding must name; it may stand in the old surroundings too.
"""

from __future__ import annotations

from pathlib import Path

from configs.loader import ConfigError, LoadedCenter, load_center

MARK = "^^"

GOOD = """\
name: desk
version: 3
channels:
  phone: {units: 100, interrupts: true}
  chat: {units: 34, agent_max: 3}
  email: {units: 50, interruptible: true}
skills: [billing, tech, "lang:en"]
tiers: [gold, basic]
queues:
  front:
    agent_policy: longest_idle
    teams: [care]
    length_max: 50
    when_full: overflow
    wait_max: 10m
    when_late: overflow
    overflow_to: back
  back:
    agent_policy: weighted_share
    weights: {ann: 2, ben: 1}
    wait_max: 20m
    when_late: deflect
categories:
  invoice:
    queue: front
    needs: {billing: 6, tech: 2}
    language_level: 4
    priority: 5
    wrap_up: 30s
    steps:
      - {after: 20s, lower: {billing: 4}}
      - {after: 60s, drop: [tech], add_teams: [pool]}
      - {after: 90s, overflow_to: back}
  fault:
    queue: back
    needs: {tech: 5}
teams:
  care: {cost_group: inside}
  pool: {}
agents:
  ann: {team: care, skills: {billing: 8, tech: 5, "lang:en": 9}}
  ben: {team: pool, skills: {tech: 7, billing: 5}, channel_max: {chat: 2}}
promises:
  gold_answer:
    kind: answer
    channels: [phone]
    tiers: [gold]
    target: 10s
    warnings: [50, 80]
    on_warning: {raise_priority: 1}
  answer:
    kind: answer
    channels: [phone]
    target: 20s
    warnings: [80]
    on_breach: {escalate: true}
    escalation: [lead, manager]
    objective_percent: 80
presences:
  available: true
  break: false
  unanswered: false
offers:
  unanswered_presence: unanswered
  backoff_declined: 5s
limits:
  open_contacts: 500
"""


def plant(directory: Path, *changes: tuple[str, str]) -> tuple[Path, str]:
    """Write the configuration with changes; return the file and the marked `line:column`."""
    text = GOOD
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
        text = text.replace(old, new)
    assert text.count(MARK) <= 1, "one mark shows one place"
    before, mark, after = text.partition(MARK)
    path = directory / "center.yaml"
    path.write_text(before + after, encoding="utf-8")
    if not mark:
        return path, ""
    line = before.count("\n") + 1
    return path, f"{line}:{len(before) - before.rfind(chr(10))}"


def errors_of(directory: Path) -> list[str]:
    """Return the lines of the errors that loading meets, without the summary."""
    try:
        load_center(directory)
    except ConfigError as error:
        return str(error).splitlines()[:-1]
    return []


def loaded(directory: Path, *changes: tuple[str, str]) -> LoadedCenter:
    """Load the configuration with changes that do not break it."""
    plant(directory, *changes)
    return load_center(directory)
