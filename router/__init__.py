"""The core of switchroom: events in, decisions out.

- `events`     all that can happen (past tense), and the stamp `Stamped`
- `decisions`  all that may be ordered (imperative), each with its `Reason`
- `center`     the configuration of one routing group; `checks` says what is wrong with one
- `router`     `Router.handle(stamped) -> tuple[Decision, ...]` and
               `Router.next_deadline() -> int | None`: the one verb and the one question
- `sequencer`  gives seq and time, and lets due deadlines in before what comes after them
- `journal`    stamped events with their decisions; digest, replay
- `explain`    why this agent, why still waiting: from the journal
- `measures`   every number over many contacts, defined once

Nothing in this package waits, listens, reads a clock or draws a lot. State is a fold of
the journal, decisions are a function of it: the same on every machine, live, simulated or
replayed.
"""
