"""Play the days of a scenario on the live core, and say what they mean.

- `reading`       a scenario file (or a centre's directory) becomes a `configs.planning.Scenario`
- `recorded_arrivals`  when contacts came, from a journal, a store or a table
- `changes`       a change is a function from a scenario to a scenario
- `courses`       the same said on the command line: `--add care=2`, `--demand +10%`
- `laws`          durations by inversion: one uniform, one duration
- `arrivals`      when contacts come: rates, surges, bursts, records, busy days
- `people`        who is there, when: groups, shifts, breaks, absence
- `prepared`      a scenario made ready to be played, once for all its days
- `day`           one day on the unchanged core; `customers`, `desks`, `crews`, `dialer` play it,
                  `late` keeps whom somebody waits for after closing,
                  `phases` and `counting` are their plain numbers
- `tallies`       what is counted of a day
- `recorded_day`  one day written as a journal and as metrics
- `replications`  many days on all cores: `run(scenario, replications, seed)` gives a `Study`
- `processes`     processes that do not hear Ctrl-C, and end when nobody wants their work
- `stopping`      as many days as a question needs
- `estimates`     ratios of expectations with their errors, control variates, paired differences
- `costs`         what a day costs
- `requirement`   what theory asks for: Erlang A on the modified offered load; `theory` beside
- `answers`       what a plan says, as plain data; `results`, `comparison` fill it, `showing` prints
- `draws`, `checks`  the lots of a day; what must hold between a scenario's values
- `commands`      `switchroom plan`, `switchroom compare`; `playing` what they play, till Ctrl-C

A figure of a study is the same for any number of workers: a day is a function of the scenario,
the seed and its number, and days are merged in their order.
"""
