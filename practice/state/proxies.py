"""The logins of the practice proxy."""

import hmac

from practice.crypto import KeyRing
from practice.state.journal import Journal
from practice.values import ProxyLogin


class ProxyBook:
    """Proxy logins by user name. The last one written for a name holds."""

    def __init__(self, journal: Journal, keys: KeyRing) -> None:
        self._journal = journal
        self._keys = keys
        self._logins: dict[str, ProxyLogin] = {}
        for record in journal.read():
            login = ProxyLogin(**record)
            self._logins[login.username] = login

    def put(self, name: str, username: str, password: str) -> ProxyLogin:
        """Let ``username`` and ``password`` open the proxy under ``name``."""
        login = ProxyLogin(name, username, self._keys.seal(_purpose(username), password))
        self._journal.append(login)
        self._logins[username] = login
        return login

    def check(self, username: str, password: str) -> str | None:
        """The proxy name that these credentials stand for, or None when they are wrong."""
        login = self._logins.get(username)
        if login is None:
            return None
        expected = self._keys.unseal(_purpose(username), login.sealed_password)
        return login.name if hmac.compare_digest(expected.encode(), password.encode()) else None

    def names(self) -> set[str]:
        """Names of every proxy that can be used."""
        return {login.name for login in self._logins.values()}

    def clear(self) -> None:
        """Forget every login."""
        self._journal.clear()
        self._logins.clear()


def _purpose(username: str) -> str:
    return f"proxy password of {username}"
