"""Let `python -m benchmarks` be `python -m benchmarks.run`."""

from benchmarks.run import main

main()
