"""From what happened to what a scenario needs: planning files in, laws with their errors out.

Planning files (`switchroom import`):
- `tables`         a CSV file or a workbook as rows that know their numbers
- `layouts`        how makers lay their files out; `kinds`: what ours hold; `local_time`: instants
- `planning_files` rows read and checked; `ical_shifts`: shifts from a calendar file
- `column_memory`  what users said about columns; `import_command`: the command
- `overview`       what a file holds, in words; the rows that are missing from it

The fit (`switchroom fit`):
- `history`        what happened: counts a day and interval, single contacts, offers, presence
- `reading`        a source becomes a history; `journals`: a journal's contacts
- `figures`        an estimate with its standard error
- `arrivals`       profiles and the test of Poisson; `busyness`: how days differ
- `durations`      laws of handling by maximum likelihood; `survival`: Kaplan-Meier, hazards
- `handling`       work, speed beside other chats, pace of agents; `behavior`: offers and shifts
- `returns`        redials and repeat contacts
- `fitting`        all of it: a `Fit`; `showing`: as text and JSON
- `people_there`   who was at work; `writing`, `scenario_text`: the scenario; `commands`
- `forecasting`    daily totals ahead (`switchroom forecast`); `forecast_command`
- `recording`      a scenario played into a history with a known truth (`switchroom history`)
"""
