"""Kill -9 in the middle: nothing lost, nothing doubled, the same day in the end."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
from pathlib import Path

import pytest

from router.events import ContactArrived
from router.journal import decode_record
from tests.kill_soak import ROOT, bodies_in, command, last_seq, soak

TINY = ROOT / "configs" / "tiny"


@pytest.mark.slow
def test_a_killed_worker_finishes_the_same_day(tmp_path: Path) -> None:
    done = soak(
        TINY, tmp_path, kills=5, lines=6000, seed=4, delay_s=(0.6, 1.4), tell=lambda _: None
    )
    assert done.kills == 5
    assert done.kills_midway, f"no kill hit the day itself: {done.kill_seqs}"


class Child:
    """A worker that listens, and a client that talks to it."""

    def __init__(self, store: Path) -> None:
        self.process = subprocess.Popen(
            command(TINY, store, "--port", "0"),
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if found := re.search(r"listening on http://127\.0\.0\.1:(\d+)", line):
                self.client = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=20)
                return
        raise AssertionError(f"the worker did not start: exit {self.process.wait()}")

    def post(self, *contact_ids: str) -> dict[str, object]:
        batch = [
            {
                "specversion": "1.0",
                "id": contact_id,
                "source": "/test",
                "type": "switchroom.contact.arrived",
                "data": {"contact_id": contact_id, "channel": "phone", "category": "invoice"},
            }
            for contact_id in contact_ids
        ]
        self.client.request(
            "POST",
            "/v1/events",
            json.dumps(batch),
            {"Content-Type": "application/cloudevents-batch+json"},
        )
        answer: dict[str, object] = json.loads(self.client.getresponse().read())
        return answer

    def kill(self) -> None:
        self.client.close()
        self.process.kill()
        self.process.communicate()


@pytest.mark.slow
def test_what_was_answered_is_there_after_a_kill(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    for run in range(3):
        child = Child(store)
        try:
            for number in range(20):
                first, second = f"c-{run}-{number}", f"c-{run}-{number}-b"
                answer = child.post(first, second)
                assert (answer["accepted"], answer["refused"]) == (2, [])
            # As after an answer that was lost on its way: what is sent again is recognised.
            again = child.post(f"c-{run}-19", f"c-{max(run - 1, 0)}-3")
            assert (again["accepted"], again["duplicates"]) == (0, 2)
            answered = again["seq"]
        finally:
            child.kill()
        assert last_seq(store) >= int(str(answered))
    arrived = [
        entry.stamped.event.contact_id
        for body in bodies_in(store)
        for entry in decode_record(body).entries
        if isinstance(entry.stamped.event, ContactArrived)
    ]
    assert len(set(arrived)) == 120
    assert len(arrived) == 126, "each repeat has its entry, answered by NoteDuplicate"
