"""The wire between desktop and agent, without I/O: messages, frames and the session.

`PROTOCOL.md` beside this file says in prose how the pieces play together.
"""
