"""What a centre costs, by month and year, three ways; and whether an investment pays.

- `assumptions`  what a planner assumes: growth, season, rises, standards; an investment
- `drivers`      what a working day needs, measured on played days; the mean day of several kinds
- `kinds_of_day` the scenarios of other days read and checked, what to note of a mix
- `calendar`     months with their days of each kind, volumes and prices
- `methods`      the three budgets: from history, from standard cost, from drivers
- `comparison`   the three side by side, and why they differ
- `investment`   cash flows, payback time, net present value, internal rate of return
- `showing`      as text and plain values
- `commands`     `switchroom budget`
"""
