"""The task types: one module each, and the explicit catalogue of them.

A module says what its task takes (parameters), what one unit of it is, which operations it needs,
and how a run of it is planned. All of it is pure.
"""
