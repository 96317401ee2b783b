"""Driver one: a SimPy world around the unchanged core.

- `scenario`    what a day is made of: demand, customers, workforce, faults, all as frozen data
- `options`     a seed (or a centre file) becomes such a day; `swarm` draws its centre
- `randomness`  numbered streams, so that another rule meets the same customers
- `driver`      one clock over three calendars: SimPy's, the world's and the router's deadlines
- `world`       customers and agents: they emit events and react to decisions (`demand` and
                `workforce` hold the two sides)
- `stage`       what both sides share: clock, lots, centre, contacts, desks
- `faults`      what goes wrong on the line; `mischief`, `rogues` and `rogue_*`: what is done on
                purpose
- `day`         one whole day: run, heal, demand progress, judge
- `auditor`     the judge, which shares no code with the core
- `demo*`       the show: `switchroom demo`, this world against a real worker
- `commands`    `switchroom simulate`, `switchroom demo`

A world speaks in `router.events` and hears `router.decisions`; whether a simulated or a live
router stands behind them is not its business. Time is integer milliseconds since the epoch.
"""
