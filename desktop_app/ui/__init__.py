"""The window: the only place with Qt. A client of the core's local API, and nothing more.

Views use presenters, presenters use models, models use the client's values. `aio` is the one
meeting point of Qt and asyncio, `shutdown` the one way to close.
"""
