"""The operator's side of the platform, on a port of its own: seed, read the ledger, set faults."""
