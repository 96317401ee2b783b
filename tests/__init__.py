"""The tests of switchroom: one file per module, and those that look at all of it at once.

- `playbook`, `builders`   write tests as screenplays: event in, decisions out
- `test_tidy`              keeps the style: sizes, names, no floats and no sets in the core
- `test_build`             which core runs here, and was it made from these sources?
- `test_parity`            one journal, several drivers, one digest
- `journals/`              recorded journals, replayed for ever
"""
