"""The two questions of routing, one file each.

- `agent_selection`    a contact that may be served looks for an agent
- `contact_selection`  an agent with spare capacity looks for a contact

A policy is a row in a table: a name, the structure that keeps its order, and a function that
ranks. It is chosen by name in the configuration.
"""
