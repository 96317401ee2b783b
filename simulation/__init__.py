"""Driver one: a SimPy world around the unchanged core.

- `scenario`    what a day is made of: demand, customers, workforce, faults, all as frozen data
- `options`     a seed (or a centre file) becomes such a day; `swarm*` draw its centre
- `randomness`  numbered streams, so that another rule meets the same customers
- `clockwork`   one clock over three calendars: SimPy's, the world's and the router's deadlines
- `driver`      SimPy around the clockwork
- `world`       customers and agents: they emit events and react to decisions (`demand` and
                `workforce` hold the two sides)
- `stage`       what both sides share: clock, lots, centre, contacts, desks
- `faults`      what goes wrong on the line; `mischief`, `rogues` and `rogue_*`: what is done on
                purpose
- `day`         one whole day: run, heal, demand progress, judge
- `openmetrics` a day as time series, for a rehearsal of alerts
- `journal_sources` a journal file, or a worker's store, which is only looked at
- `journal_file` what was decided in a simulation, as a journal
- `auditor`     the judge, which shares no code with the core
- `demo*`       the show: `switchroom demo`, this world against a real worker
- `commands`    `switchroom simulate`, `switchroom demo`

The planner's days, on the same core:
- `plan/`         scenarios, days, studies, answers: `switchroom plan`, `switchroom compare`
- `whatif/`       recorded days replayed with a change, forecasts from a live state
- `fit/`          planning files, and from history to a scenario: `switchroom import`, `fit`
- `report/`       all of it as one offline page and a workbook, in English or Chinese
- `staffing/`     the cheapest staff that keeps targets: `switchroom staff`, `schedule`, `tune`
- `app/`          edited, played and compared in a browser: `switchroom app`
- `budget/`       months and years of money, investments: `switchroom budget`
- `phrases`       English text that a page can say in another language

Beside the world, answers by formula and by exact Markov chain, which a simulated figure is held to:
- `erlang`            Erlang B, C and A for one queue, and the service levels by name
- `time_laws`         laws of patience, work and breaks; `impatience`: any patience, balking, lines
- `general_service`   M/G/1, breaks, D/M/1, M/D/n; `priority`: who goes first, and what others wait
- `offered_load`      the load through the day
- `chains`            small chains solved exactly: `chain_designs` (V, N, W, X), `chain_models`
                      (redials, chats, blending, bursts, callbacks), `chain_days` (staff changes)
- `staffing_formulas` fewest agents, shift cover, cheapest two pools
- `erlang_command`    `switchroom erlang`

A world speaks in `router.events` and hears `router.decisions`; whether a simulated or a live
router stands behind them is not its business. Time is integer milliseconds since the epoch.
"""
