"""The first voyage: one command that publishes real media through the whole system.

It starts the practice platform, an agent and a core of their own, seeds practice accounts, signs
them in and publishes the bundled media library, all through the same doors an operator uses, and
ends with the verdict of the practice platform's own ledger. Nothing here is a short cut: remove
this package and the product is complete.
"""
