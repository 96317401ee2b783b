"""Journals recorded once and replayed for ever.

Each `*.jsonl.gz` holds the records of one simulated day, faults and new configurations included;
`digests.json` names the digest of each. A change of the core that decides otherwise fails
`tests/test_journals.py`: then either the change is wrong, or it is meant, in which case the
changelog says so, the engine's version changes and the journal is recorded anew:

    python -m tests.journals.record
"""
