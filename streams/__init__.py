"""Driver two: a worker that owns a centre's order while the wall owns its time.

- `names`        the table of CloudEvents types, one for each event and each decision
- `strict_json`  JSON as we take it from strangers;  `instants` RFC 3339 to milliseconds and back
- `codec`        CloudEvents to events; a record that cannot be read becomes the event
                 `RecordRefused`, never an exception
- `writing`      decisions, and a journal's events, to CloudEvents
- `clock`        the three ways to tell the time: wall, scaled, recorded
- `producers`    what producers' clocks are worth: age is judged by their own newest word
- `ports`        what the worker asks of whoever keeps the order: receive, append, read, publish
- `embedded`     those ports on one SQLite file: nothing to install, one process, one machine
- `intake`       records from files and standard input, each with its position
- `service`      the five steps without any I/O: receive, stamp, decide, and what to append
- `recovery`     state from the journal: newest good snapshot or full replay, decisions compared
- `stories`      one contact's story, folded from the nearest snapshot on
- `views`        queues, agents, one contact: read from the journal, never from the router
- `worker`       the loop that joins intake, service, journal and readers
- `desk`         one centre as HTTP sees it, whatever its worker lives on
- `http`         the same over HTTP: events in, decisions and state out; `http_events` its posts
- `rules*`       alert rules, their tests and routes, from a configuration; `generated` compares
                 files made with files there; `watch_commands` their commands
- `rehearsal`    which alerts a day that is over would have raised
- `dashboards`   boards for Grafana, as typed code
- `telemetry`    what a worker counts;  `metrics_page` the page of a process' centres
- `staffing`     who is scheduled now, from a planning file, beside the live count
- `host`         the centres of one process on one loop: signals, HTTP, what happens when one fails
- `reload`       changed configurations for running centres: all of it valid, or nothing changes
- `watchdog`     a loop that hangs is ended;  `dry_run` decisions that leave no trace
- `board*`       what a supervisor watches: `board` makes frames, `board_clocks` folds what they
                 need, `board_http` serves them; the page that draws them is in `page/`
- `faust_views`, `views_command`  tables of measures over the topics, kept by Faust
- `adapters/`    what other platforms say, made our events; `switchroom adapt`
- `topics`       the topics' names, how each must be kept, a centre's partition
- `acls`         which rights each part of a deployment needs on a cluster
- `kafka_settings`  how to reach a cluster, and what is refused: secrets and data in the clear
- `kafka`        one cluster through its client: every call with a deadline, every error ours
- `kafka_journal`, `kafka_intake`, `kafka_publish`  the ports on topics
- `kafka_admin`  topics looked at before they are relied on, made where that was asked for
- `doctor`       what of a cluster the worker relies on, tried out
- `kafka_live`   a centre on topics, built anew whenever an outcome is unknown
- `kafka_process`  the centres of one process on Kafka;  `kafka_lease` who has which centre
- `reader`       for other programs: each decision once, over Kafka or HTTP
- `kafka_desk`   HTTP beside topics: events in;  `mirror` a journal's copy, for views
- `kafka_commands`  what of it stands on the command line
- `snapshots`    snapshots as files, beside a journal that lies elsewhere
- `live`         puts a worker together from what the command line says, and runs it
- `run_commands`  `switchroom run`
- `commands`     `switchroom explain`, `replay`, `check`, `schema`, `topics`, `doctor`
- `scorecard_command`, `scorecard_table`  `switchroom scorecard`: scores folded from a journal
- `register_command`  `switchroom contacts`
- `journal_commands`  `switchroom journal verify`, `digest`, `show`, `export`

Only `worker`, `host`, `intake`, `http` and `kafka*` wait; only `clock` tells the time a decision
depends on; only `embedded`, `mirror` and `snapshots` write files. Journal first, then publish,
then observe: nobody hears of a decision that a crash could still undo. Nothing here decides:
decisions are `router`'s.
"""

from __future__ import annotations

from typing import Final

ENGINE_VERSION: Final = "0.1.0"
"""The version that stands in the journal; a change of it is journaled as `EngineActivated`."""
