"""Record the journals of some simulated days; existing ones are kept unless named.

`python -m tests.journals.record` records those that are missing, with a name (`swarm-7`) that
one anew.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

from router.journal import Entry, JournalWriter
from simulation.day import simulate_day
from simulation.options import from_seed

HERE = Path(__file__).parent
SEEDS = (3, 7, 26, 48, 67, 119, 131, 209, 280, 383)
ENTRIES_PER_RECORD = 100


def record_seed(seed: int) -> tuple[bytes, str]:
    """Return the journal of a seed, as JSON lines, and its digest."""
    entries: list[Entry] = []
    center, options = from_seed(seed)
    simulate_day(center, options, listeners=(entries.append,), heal=True)
    writer = JournalWriter(center.name, "recorded")
    lines = [
        writer.record(entries[start : start + ENTRIES_PER_RECORD])
        for start in range(0, len(entries), ENTRIES_PER_RECORD)
    ]
    return b"".join(line + b"\n" for line in lines), writer.digest.hexdigest()


def main(names: list[str]) -> None:
    """Record what is missing, and what is named."""
    digests_file = HERE / "digests.json"
    digests = json.loads(digests_file.read_text()) if digests_file.exists() else {}
    for seed in SEEDS:
        name = f"swarm-{seed}"
        path = HERE / f"{name}.jsonl.gz"
        if path.exists() and name not in names:
            continue
        body, digests[name] = record_seed(seed)
        # mtime 0: the same journal gives the same file
        path.write_bytes(gzip.compress(body, 9, mtime=0))
    digests_file.write_text(json.dumps(dict(sorted(digests.items())), indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
