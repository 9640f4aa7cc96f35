"""The values of the core's local API, shared by the core and by every client of it.

Only pydantic values live here. No secret is ever part of a value that the core sends; secrets go
one way, from client to core, in requests that set them.
"""
