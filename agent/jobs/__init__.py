"""What an agent remembers and does: journal, outbox, logs, blobs, and the supervisor of runners.

Nothing here knows a driver or a task's steps; those live in the runners.
"""
