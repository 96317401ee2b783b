"""Judge a journal without believing a word of the router's code.

The auditor reads stamped events and decisions, one entry at a time, keeps its own books and says
which invariant an entry breaks. It shares no code with the core: it imports the words only
(`router.events`, `router.decisions`, `router.center`). Memory is proportional to open contacts,
lately closed contacts (as long as the configuration remembers them) and agents.

- `findings`      a violation, in words
- `court`         the auditor itself: leads each entry past the judges
- `ledger`        contacts, offers, agents as the journal tells them; what falls due when
- `reading`       what the configuration says a contact needs and an agent has room for
- `conservation`  I2, I3, I4, I14, I34      the life of contacts; `steps`: routing steps
- `refusals`      I2, I3, I9                what is said of events not followed
- `assignment`    I5 to I11                 offers, assignments, back-off
- `workload`      I7, I11                   units, caps, held work
- `fairness`      I12, I13                  nobody left waiting, nobody overtaken
- `guards`        I39                       nobody given away who is kept
- `sla`           I15 to I22                clocks and breaches: `clock`, `hearing`, `opening`
- `escalation`    I14                       chains are climbed step by step
- `service`       I36 to I38                callbacks, surveys, complaints, returns, overload
- `agents`        who is configured, signed in, able; the configuration in force
- `timeline`      I23, I24, I31             order, time, everything due
- `records`       I1, I28, I29, I31         journal records: chain, epochs, offsets, state hash
"""

from simulation.auditor.court import Auditor, audit
from simulation.auditor.findings import Violation
from simulation.auditor.records import RecordAuditor

__all__ = ["Auditor", "RecordAuditor", "Violation", "audit"]
