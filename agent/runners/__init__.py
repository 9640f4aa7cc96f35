"""The child processes in which drivers live, and the pipe between them and the agent.

A runner has no database and no network door of its own: it takes items over its standard input,
and asks the agent to journal each step of an external effect before it goes on.
"""
