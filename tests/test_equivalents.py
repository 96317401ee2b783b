"""Name every strategy of two well-known queues and show the order in which ours rings.

What each promises is read from their documentation: Asterisk's sample `queues.conf` and
FreeSWITCH's pages on `mod_callcenter`. Where ours differs, the row says how.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from router.center import AgentPolicy, Category, Queue
from router.decisions import AssignContact, OfferContact
from tests.builders import AUTO, MINUTE, SECOND, arrive, desk, end, sign_in
from tests.playbook import Playbook, at

LINEAR, ROUND = AgentPolicy.LINEAR, AgentPolicy.ROUND_ROBIN
STRATEGIES: dict[str, AgentPolicy] = {
    "app_queue ringall": AgentPolicy.RING_ALL,
    "app_queue leastrecent": AgentPolicy.LONGEST_IDLE,
    "app_queue fewestcalls": AgentPolicy.FEWEST_CONTACTS,
    "app_queue random": AgentPolicy.SEEDED_RANDOM,
    "app_queue rrmemory": ROUND,
    "app_queue rrordered": ROUND,
    "app_queue linear": LINEAR,
    "app_queue wrandom": AgentPolicy.WEIGHTED_SHARE,
    "mod_callcenter ring-all": AgentPolicy.RING_ALL,
    "mod_callcenter longest-idle-agent": AgentPolicy.LONGEST_IDLE,
    "mod_callcenter round-robin": ROUND,
    "mod_callcenter top-down": LINEAR,
    "mod_callcenter agent-with-least-talk-time": AgentPolicy.LEAST_TALK_TIME,
    "mod_callcenter agent-with-fewest-calls": AgentPolicy.FEWEST_CONTACTS,
    "mod_callcenter sequentially-by-agent-order": LINEAR,
    "mod_callcenter random": AgentPolicy.SEEDED_RANDOM,
    "mod_callcenter ring-progressively": AgentPolicy.RING_PROGRESSIVELY,
}

# Four agents sign in as a, b, c, d and take one contact each, of 4, 1, 2 and 3 minutes. Then
# everybody is idle, and these get the next eight, one at a time.
ORDERS = {
    AgentPolicy.LONGEST_IDLE: "bcdabcda",
    AgentPolicy.FEWEST_CONTACTS: "bcdabcda",
    AgentPolicy.LEAST_TALK_TIME: "bbbbbbbb",
    LINEAR: "aaaaaaaa",
    ROUND: "abcdabcd",
    AgentPolicy.WEIGHTED_SHARE: "bcdabcda",
}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_each_strategy_has_its_equivalent_order(strategy: str) -> None:
    policy = STRATEGIES[strategy]
    if policy in (AgentPolicy.RING_ALL, AgentPolicy.RING_PROGRESSIVELY):
        queue = Queue(agent_policy=policy, ring_size=4, ring_step_ms=5 * SECOND)
        play = Playbook(desk("abcd", queue=queue))
        for name in "abcd":
            play >> sign_in(name)
        play >> arrive("1") >> at(15 * SECOND)
        rung = [x.agent_id for x in play.of(OfferContact)]
        assert rung == list("abcd"), "all at once, or one more every five seconds"
        return
    stage = desk(
        "abcd",
        channels={"phone": AUTO},
        queue=Queue(agent_policy=policy, seed=3),
        category=Category(queue="q"),
    )
    play = Playbook(stage)
    for name in "abcd":
        play >> sign_in(name)
    for name in "abcd":
        play >> arrive(name)
    for name, minutes in zip("bcda", (1, 2, 3, 4), strict=True):
        play >> at(minutes * MINUTE, end(name))
    for number in range(8):
        play >> at(5 * MINUTE + number * SECOND, arrive(str(number)))
        # Half a second: too short to change who has talked least.
        play >> at(5 * MINUTE + number * SECOND + 500, end(str(number)))
    got = "".join(x.agent_id for x in play.of(AssignContact))[4:]
    if policy is AgentPolicy.SEEDED_RANDOM:
        assert set(got) > {"a"}, "lots fall on several"
        return
    assert got == ORDERS[policy]


def test_the_document_has_a_row_for_each() -> None:
    text = (Path(__file__).parent.parent / "ROUTING.md").read_text(encoding="utf-8")
    section = text.partition("## Strategies of other systems")[2]
    rows = dict(re.findall(r"^\| `(\w+ [\w-]+)` \| `(\w+)`", section, re.MULTILINE))
    assert rows == {name: policy.value for name, policy in STRATEGIES.items()}
