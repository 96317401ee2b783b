"""What a centre costs, by month and year, three ways; and whether an investment pays.

- `assumptions`  what a planner assumes: growth, season, rises, standards; an investment
- `drivers`      what a working day needs, measured on played days of the scenario
- `calendar`     months with their working days, volumes and prices
- `methods`      the three budgets: from history, from standard cost, from drivers
- `comparison`   the three side by side, and why they differ
- `investment`   cash flows, payback time, net present value, internal rate of return
- `showing`      as text and plain values
- `commands`     `switchroom budget`
"""
