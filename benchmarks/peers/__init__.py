"""Write the benchmark's model in the tools that a user would otherwise take.

Every peer is `run(model, customers) -> bytearray`: one outcome per customer in order of
arrival. Each is written the way the tool's own documentation teaches it; where a choice
was left, the faster one was taken.
"""
