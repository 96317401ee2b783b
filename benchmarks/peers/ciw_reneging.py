"""Write the model as Ciw's guide "How to Simulate Reneging" does.

Ciw draws its own variates with its own generator, so its customers are other people than
those of the other models: it is judged against the exact values only.
"""

from __future__ import annotations

import ciw

from benchmarks.customers import ABANDONED, SERVED_AFTER_WAIT, Customers, Model


def run(model: Model, customers: Customers) -> bytearray:
    """Serve one node until as many customers have come as the others get; then read the records."""
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(1 / model.interarrival_mean_ms)],
        service_distributions=[ciw.dists.Exponential(1 / model.service_mean_ms)],
        reneging_time_distributions=[ciw.dists.Exponential(1 / model.patience_mean_ms)],
        number_of_servers=[model.agents],
    )
    ciw.seed(customers.arrivals_ms[-1])
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(len(customers), method="Finish")
    records = simulation.get_all_records()
    outcome = bytearray(len(records))
    for place, record in enumerate(sorted(records, key=lambda record: record.arrival_date)):
        if record.record_type == "renege":
            outcome[place] = ABANDONED
        elif record.waiting_time > 0:
            outcome[place] = SERVED_AFTER_WAIT
    return outcome
