"""Turn what other platforms say into our events: pure functions, a file a platform.

- `mapping`    how a platform's names are ours: channels, categories, agents, presences
- `said`       what an adapter gives back: events with the id, the source and the time they had
- `amazon_connect`, `twilio`, `genesys`, `zendesk`  one function each: a record in, events out
- `adapt_command`  `switchroom adapt`

An adapter knows one record and nothing else: no memory, no clock, no network. So what it makes is
the same whenever and wherever it runs, a record that comes twice makes the same event ids twice,
and the router, which does remember, notes the repeat. What it does not know it leaves out and
counts; new fields and new kinds of records are no error.

Platforms that route by themselves also tell of their own offers. Those are none of ours: an
acceptance becomes `OfferAccepted` only where the platform carries the number of our offer back (an
attribute named in the mapping).
"""
