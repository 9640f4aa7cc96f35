"""The practice platform: a local stand-in that keeps its own record of what truly happened.

It is a process of its own. It imports nothing of Flotilla and nothing of Flotilla imports it, so
that its ledger can bear witness about the rest.
"""
