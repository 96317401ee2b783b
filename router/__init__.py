"""The core of switchroom: events in, decisions out.

The words, which are all that crosses the door:

- `events`     all that can happen (past tense), and the stamp `Stamped`
- `decisions`  all that may be ordered (imperative), each with its `Reason`
- `center`     the configuration of one routing group (`center_calendars` its opening hours,
               `center_loop` the service around it);
               `checks` says what is wrong with one
               (`problems`, `ranges`, `reach`, `calendar_checks`, `later_checks`,
               `routing_checks`, `service_checks` are its parts)

`enums` makes their words cheap to read and to count by.

The tables, read by the code, the tests and the pictures: `contacts`, `offers`, `agents`.

The rules:

- `skills`, `calendars`, `sla`   who can do what, when it is open, what a promise means
- `policies`                     the two questions: which agent, which contact
- `plan`                         a configuration made ready to route by

The state:

- `records`    contacts, agents, offers, assignments, clocks
- `lines`      those who wait; `bench` those who are free; `ordered` and `deadlines` their orders
- `floor`      all of it together, with its indexes; `states` and `whys` are plain constants

What happens:

- `router`     `Router.handle(stamped) -> tuple[Decision, ...]` and
               `Router.next_deadline() -> int | None`: the one verb and the one question
               (`is_due_before` asks it faster)
- `on_*`       the handlers, a file per family of events: `on_arrival`, `on_contact`, `on_offer`,
               `on_service`, `on_agent`, `on_center`; `refusals` answer what is not followed
- `opening`    opens and closes queues at the edges of their hours (`doors` are these edges)
- `guards`     who is kept for whom (`keeping` is what they know)
- `matching`   asks the two questions (`choosing` answers the second); `assignments` carries out,
               `waiting` lets wait
- `affinity`   the one agent waited for; `returns` knows who comes again, `surveys` who is asked,
               `callbacks` and `windows` when customers are called; `memory` forgets what is over
- `clocks`     runs the promises' clocks; `retargeting` lets them live on when contacts reopen or
               promises change

Around it:

- `sequencer`  gives seq and time, and lets due deadlines in before what comes after them
- `journal`    stamped events with their decisions; digest, replay; `canonical` writes the
               configuration in the form that journals keep
- `snapshot*`  the whole state written down and brought back
- `explain`    why this agent, why still waiting, from the journal (`explain_present`: how things
               stand; `candidates` looks at agents for a contact, `rivals` at contacts for an agent)
- `preview`    what a new configuration would do to a running centre, asked of a copy
- `measures*`  every number over many contacts, defined once
- `register`   every contact in a row: who, when, what was done
- `build_info` whether this core is compiled, and from which sources

Nothing in this package waits, listens, reads a clock or draws a lot. State is a fold of
the journal, decisions are a function of it: the same on every machine, live, simulated or
replayed.
"""
