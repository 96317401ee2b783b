"""Bring a centre from YAML files into the core, with the place of every value.

- `yaml_reader`: one file into a tree of items that know file, line and column; the traps of
  YAML (booleans by accident, base-60 and octal numbers, repeated keys, bombs) end here.
- `durations`: `20s`, `4h` and their milliseconds.
- `shapes`: what the core's dataclasses say about the files: fields, kinds, groups of agents.
- `settling`: the items with every duration in milliseconds, under the core's name.
- `validation`: plain values into the core's dataclasses, mismatches in our words.
- `origins`, `findings`: where a value stands; one error or warning there.
- `weekly_hours`, `opening_hours`: calendars as people write them, and their tables in UTC;
  `zones`, `holiday_tables`, `ical` read what they are made from.
- `horizon`: which calendars end too soon.
- `burn_rates`: when broken promises are worth an alarm; `burn_watch` follows counts by it.
- `loader`: a directory into a `Center`, or every mistake at once (`ConfigError`).
- `effective`: the configuration as it acts, with the origin of each value.
- `schema`: JSON Schema of the files, of events and of decisions.
- `planning`, `changes`: a planner's scenario as dataclasses; `scenarios` reads its file.
- `scorecard_files`: targets, prices and shift plans, which decide nothing.
- `commands`: `switchroom check` and `switchroom schema`, without the command line.

`router.center` defines the configuration and `router.checks` what must hold between its values;
nothing here knows a rule of the domain. `sample/` is a centre of about 120 agents, `tiny/` one
of five; `scenarios/` holds a day of each; `scorecard/` has targets and costs for the first;
`schemas/` holds what `schema` wrote.
"""
