"""Measure the speed of switchroom, and say against whom.

`erlang_a` gives the exact answer every model must come near; `customers` draws the
customers that all models of one round share; `centers` builds the configurations;
`peers/` holds the same model in other tools; `engine_loops` and `engine_world` hold it in
ours. `simulated_day` compares them, `core_growth` and `memory` look at the core as it
grows, `operations` counts its executed lines. `false_pages` counts alerts in a centre that
keeps its promise. `planning` sets the planner (`planner_day`) beside its peers and writes
`planning.md`. `run` does everything and writes
`results.json`; `tables` writes the tables of README.md from that file.
"""
