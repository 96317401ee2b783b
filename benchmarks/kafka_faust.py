"""Pass records on with the smallest Faust agent there is, and say how long it took.

`python -m benchmarks.kafka_faust ADDRESS FROM TO COUNT` runs in a process of its own, because Faust
wants one; `benchmarks.kafka` starts it. Guarantees as Faust has them by default: at least once.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from typing import Any

import faust


def main() -> None:
    """Run until `COUNT` records were passed on; prints seconds of wall and of processor."""
    address, source_name, sink_name, count = sys.argv[1:5]
    app = faust.App(
        f"bench-faust-{time.time_ns()}",
        broker=f"aiokafka://{address}",
        store="memory://",
        web_enabled=False,
        autodiscover=False,
        consumer_auto_offset_reset="earliest",
        topic_disable_leader=True,
    )
    source = app.topic(source_name, value_type=bytes, value_serializer="raw")
    sink = app.topic(sink_name, value_type=bytes, value_serializer="raw")

    @app.agent(source)
    async def _pass_on(stream: Any) -> None:
        done, began_s, cpu_s = 0, 0.0, 0.0
        sent: list[Any] = []
        async for value in stream:
            if not done:
                began_s, cpu_s = time.perf_counter(), time.process_time()
            sent.append(await sink.send(value=value))
            done += 1
            if done == int(count):
                await asyncio.gather(*sent)
                told = {
                    "wall_s": time.perf_counter() - began_s,
                    "cpu_s": time.process_time() - cpu_s,
                }
                sys.stdout.write(json.dumps(told) + "\n")
                sys.stdout.flush()
                os._exit(0)

    faust.Worker(app, loglevel="ERROR", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main()
