"""Ask what would have happened, and what will: other rules or people, the same customers.

- `stages`       follow the decisions on every contact: in which stage it is, for how long
- `recording`    a journal taken apart: what came from outside, and what answered a stage
- `contact_list` a list of calls made a recording: who was there is found from what it says
- `laws`         what a recording tells of patience, work and offers: laws to draw the rest from
- `residuals`    how much longer, given how long already: inversion of the tail, one uniform
- `replaying`    the recording through the unchanged core, with other rules or people
- `outcomes`     what became of each contact
- `altering`     what is changed: more people, other rules, other volume
- `asking`       many replays of a question, and the answer
- `comparing`    replays beside what happened: differences, how sure they are, who changes
- `showing`      that as text
- `starting`     where a forecast begins: a lean snapshot, who is there, what changes when
- `onward_lots`  the lots of the next hours, drawn once for all courses
- `onward`       a planner's day that begins with a live snapshot
- `posterior`    how busy the day is, given what came so far
- `live`         where such a day begins: a snapshot file, a store, a running worker
- `forecasting`  many such days in pairs, without and with a change, until enough is known
- `foretelling`  what they say together: figures with intervals, sentences
- `spoken`       what both commands are told alike
- `commands`     `switchroom what-if`; `forecast_command`: `switchroom forecast-now`

A replay keeps what was seen: who came when, how long each was served, when who gave up. What was
not seen, because somebody answered first or nobody answered, is drawn, given what was seen.
Without a change nothing is drawn that counts, and the digest is that of the recording.
"""
