"""The planner's app: a scenario edited, played, compared and exported in a browser.

- `desk` holds what a planner has on his desk: a scenario, and what he changed of it, as the very
  changes that a scenario file would hold. No browser in it.
- `uploads` takes a scenario or a history that was handed in, and says what was refused and why.
- `runs` plays days or seeks staff on a process pool, with progress and cancel.
- `screen` is the page (NiceGUI), `editing` its cards; an answer is shown as the very page that
  `simulation.report` writes. `serving` serves both on this machine alone; `command` offers
  `switchroom app`.
"""
