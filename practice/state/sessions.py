"""Who is signed in. Only digests of session tokens are held or stored."""

import hashlib
import secrets

from practice.state.journal import Journal
from practice.values import Session, Source


class SessionBook:
    """Every open session by the digest of its token."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._open: dict[str, Session] = {}
        for record in journal.read():
            if record["event"] == "opened":
                session = Session(record["token_sha256"], record["user_id"], record["source"])
                self._open[session.token_sha256] = session
            else:
                self._open.pop(record["token_sha256"], None)

    def open(self, user_id: int, source: Source) -> str:
        """Open a session and return its token, which can't be read again later."""
        token = f"{user_id}%3A{secrets.token_urlsafe(24)}"
        session = Session(digest(token), user_id, source)
        self._journal.append(
            {
                "event": "opened",
                "token_sha256": session.token_sha256,
                "user_id": user_id,
                "source": source,
            }
        )
        self._open[session.token_sha256] = session
        return token

    def find(self, token: str) -> Session | None:
        """The open session of a token."""
        return self._open.get(digest(token))

    def close(self, session: Session) -> None:
        """End one session."""
        if self._open.pop(session.token_sha256, None):
            self._journal.append({"event": "closed", "token_sha256": session.token_sha256})

    def of_user(self, user_id: int) -> list[Session]:
        """Every open session of one account."""
        return [session for session in self._open.values() if session.user_id == user_id]

    def clear(self) -> None:
        """Forget every session."""
        self._journal.clear()
        self._open.clear()


def digest(token: str) -> str:
    """The form in which a token may be kept."""
    return hashlib.sha256(token.encode()).hexdigest()
