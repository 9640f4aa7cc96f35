"""The ground floor: what the desktop and the agent agree on.

No Qt, and no I/O outside `common.infra`. Time, randomness and bytes come in as arguments.
"""
