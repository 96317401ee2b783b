"""Make a configuration ready to route by: names become links, sets become classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.calendars import OpeningHours
from router.center import Category, Center, Channel, Queue, Signal
from router.skills import Needs, needs_of, relax
from router.sla import SIGNAL_INDEX, SIGNALS, START, PromisePlan, promises_for

if TYPE_CHECKING:
    from router.doors import Door
    from router.lines import Lane
    from router.records import Contact

# A contact's own facts: channel, category, tier, language, priority, queue, own needs.
ProfileKey = tuple[str, str, str, str, int, str, tuple[tuple[str, int], ...]]


class ChannelPlan:
    """A channel with its number."""

    __slots__ = (
        "agent_max",
        "auto_accept",
        "connect_timeout_ms",
        "index",
        "interruptible",
        "interrupts",
        "name",
        "spec",
        "units",
    )

    def __init__(self, index: int, name: str, spec: Channel) -> None:
        self.index = index
        self.name = name
        self.spec = spec
        self.units = spec.units
        self.agent_max = spec.agent_max
        self.auto_accept = spec.auto_accept
        self.interruptible = spec.interruptible
        self.interrupts = spec.interrupts
        self.connect_timeout_ms = spec.connect_timeout_ms


class QueuePlan:
    """A queue: how many wait in it, and where its agent policy stands.

    `last_rank` is the rank of the agent chosen last (round robin goes on behind him), `drawn`
    counts the choices (the next lot), `passed` is the highest pass of the weighted share.
    A `draining` queue takes nobody in any more. `hours` are those by which its waits count, None
    for plain time; a `shut` one is closed by its `door`, and `resting` are those who wait until it
    opens.
    """

    __slots__ = (
        "door",
        "draining",
        "drawn",
        "hours",
        "last_rank",
        "name",
        "passed",
        "resting",
        "shut",
        "spec",
        "waiting",
    )

    def __init__(self, name: str, spec: Queue) -> None:
        self.name = name
        self.spec = spec
        self.waiting = 0
        self.draining = False
        self.last_rank = -1
        self.drawn = 0
        self.passed = 0
        self.hours: OpeningHours | None = None
        self.door: Door | None = None
        self.shut = False
        self.resting: dict[str, Contact] = {}


class Profile:
    """What contacts with the same facts share: needs by step, lines by step, promises.

    `offer_timeout_ms` 0 means that an offer never expires.
    """

    __slots__ = (
        "category",
        "category_name",
        "channel",
        "key",
        "lanes",
        "lead_ms",
        "needs",
        "offer_timeout_ms",
        "plain",
        "priority",
        "promises",
        "queue",
        "reactions",
        "unroutable",
    )

    def __init__(
        self,
        key: ProfileKey,
        channel: ChannelPlan,
        category: Category,
        queue: QueuePlan,
        needs: Needs,
        promises: tuple[PromisePlan, ...],
        *,
        unroutable: bool,
    ) -> None:
        self.key = key
        self.channel = channel
        self.category = category
        self.category_name = key[1]
        # Nothing but the end of its life rings for such a contact while it waits.
        self.plain = not category.steps and not queue.spec.wait_max_ms
        self.queue = queue
        self.needs = needs
        self.priority = category.priority if key[4] < 0 else key[4]
        self.promises = promises
        self.unroutable = unroutable
        self.lanes: list[Lane | None] = [None] * (len(category.steps) + 1)
        timeout_ms = category.offer_timeout_ms
        self.offer_timeout_ms = channel.spec.offer_timeout_ms if timeout_ms < 0 else timeout_ms
        self.reactions: list[tuple[tuple[PromisePlan, int], ...]] = [
            tuple((plan, plan.actions[index]) for plan in promises if plan.actions[index])
            for index in range(len(SIGNALS))
        ]
        arrived = SIGNAL_INDEX[Signal.ARRIVED]
        self.lead_ms = min(
            (
                plan.target_ms
                for plan in promises
                if plan.actions[arrived] == START and plan.target_ms
            ),
            default=0,
        )

    def needs_at(self, step: int) -> Needs:
        """Return the needs after `step` routing steps."""
        needs = self.needs
        for done in self.category.steps[:step]:
            needs = relax(needs, done.lower, done.drop)
        return needs

    def teams_at(self, queue: QueuePlan, step: int) -> tuple[str, ...]:
        """Return the teams that may serve after `step` steps; none named means all may."""
        if not queue.spec.teams:
            return ()
        teams = list(queue.spec.teams)
        for done in self.category.steps[:step]:
            teams.extend(team for team in done.add_teams if team not in teams)
        return tuple(teams)

    def priority_at(self, step: int) -> int:
        """Return the priority after `step` steps, not yet capped at 9."""
        return self.priority + sum(done.raise_priority for done in self.category.steps[:step])


def remnant(key: ProfileKey) -> Profile:
    """Return a stand-in for the profile of an ended contact that the centre no longer knows."""
    return Profile(
        key,
        ChannelPlan(-1, key[0], Channel()),
        Category(queue=""),
        QueuePlan("", Queue()),
        (),
        (),
        unroutable=False,
    )


def make_profile(
    center: Center,
    key: ProfileKey,
    channels: dict[str, ChannelPlan],
    queues: dict[str, QueuePlan],
    hours: dict[str, OpeningHours],
) -> Profile | str:
    """Return the profile of a contact's facts, or the name of the fact that is unknown.

    The answers in case of failure: "channel", "category", "queue", "skill".
    """
    channel_name, category_name, tier, language, stated, queue_name, own = key
    channel = channels.get(channel_name)
    if channel is None:
        return "channel"
    category = center.categories.get(category_name)
    if category is None:
        return "category"
    queue = queues.get(queue_name or category.queue)
    if queue is None:
        return "queue"
    spoken = {}
    if language and category.language_level:
        spoken[f"lang:{language}"] = category.language_level
    needs = needs_of(category.needs, dict(own), spoken)
    unroutable = any(skill not in center.skills for skill, _ in needs)
    if unroutable:
        fallback = queues.get(center.unknown_skill_queue)
        if fallback is None:
            return "skill"
        queue, needs = fallback, ()
    priority = category.priority if stated < 0 else stated
    promises = promises_for(center.promises, hours, category_name, channel_name, tier, priority)
    return Profile(key, channel, category, queue, needs, promises, unroutable=unroutable)
