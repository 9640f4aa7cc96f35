"""Which agent an account goes to first. Pure; the answer is stored and sticky.

Weighted rendezvous hashing (Thaler and Ravishankar 1998, weights after Wang and Ravishankar 2009):
each account gets exactly one agent, a new agent takes only its share, and a lost one's accounts
spread over the rest.
"""

import hashlib
import math
from collections.abc import Mapping

_SPAN = float(1 << 64)


def place(account_id: str, capacities: Mapping[str, float]) -> str:
    """Return the agent id, out of `capacities` (agent id to relative capacity), for an account.

    Raises ValueError when no agent has a capacity above zero.
    """
    best: tuple[float, str] | None = None
    for agent_id, capacity in capacities.items():
        if capacity <= 0:
            continue
        score = capacity / -math.log(_unit(account_id, agent_id))
        if best is None or (score, agent_id) > best:
            best = (score, agent_id)
    if best is None:
        raise ValueError("no agent with capacity to place an account on")
    return best[1]


def _unit(account_id: str, agent_id: str) -> float:
    """Hash a pair into the open interval (0, 1)."""
    digest = hashlib.sha256(f"{account_id}\n{agent_id}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") + 0.5) / _SPAN
