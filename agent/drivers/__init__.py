"""The ways to act on the platform. Imported by runners only, never by the agent's main process.

Each driver translates its library's exceptions into `common.errors` at its own border, once.
"""
