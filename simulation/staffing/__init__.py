"""Search for staff, shifts and routing settings that keep promises at the least cost.

- `needs`        what is asked: a share per line, over the day or in each interval; its surplus
- `spaces`       what may be chosen: agents per group and interval, or per group and kind of shift
- `curves`       what agents bring by formula: lines alone (upper bound), pooled (lower bound)
- `master`       the cheapest plan that formulas and cuts allow: an integer program
- `plays`        days of plans, each once: by the live core, or as surrogates
- `surrogate`, `surrogate_customers`, `surrogate_day`  a day without the router, far faster
- `trials`       plans on the same days: sequential verdicts, what one agent more brings
- `hunt`         what a search knows on its way: plans played both ways, cuts, what is asked
- `search`       cuts on surrogate days, corrected by the live core, until the answer stays
- `polish`       single steps: from a plan that holds to a cheaper one, or to one that holds
- `evening`      a plan of intervals evened out over the day, and trimmed in blocks
- `confirming`   what a plan is worth by both levels; tests on fresh days that share one risk
- `deadline`     until when is searched: minutes, or Ctrl-C
- `seeking`      all of these in turn: from a space to its answer, for the commands and the app
- `certificate`  the answer as plain data: plan, cost, gap, second best, who is short when
- `showing`, `writing`  the answer for people; as CSV, JSON and a scenario that `plan` plays
- `tuning`       routing settings on paired days, and the settings that nothing beats
- `commands`     `switchroom staff`, `switchroom schedule`, `switchroom tune`

STAFFING.md tells users; `simulation.plan` plays the days.
"""
