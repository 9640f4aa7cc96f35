"""What an agent is given to act for one account: identity, secrets, session and proxy.

These values hold secrets. `repr` and `str` mask them; only `model_dump_json` writes them out, for
the pinned TLS link and for sealing. They are never logged.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainSerializer, SecretStr

from common.domain.accounts import DriverName, Platform, account_identity

WireSecret = Annotated[
    SecretStr, PlainSerializer(lambda secret: secret.get_secret_value(), when_used="json")
]
"""A secret that is masked everywhere but in JSON made for a wire or for sealing."""


class ProxyAccess(BaseModel):
    """How to leave through one proxy."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    proxy_id: str
    url: str
    """Scheme, host and port without credentials: `http://127.0.0.1:3128`."""
    username: str = ""
    password: WireSecret | None = None


class AccountAccess(BaseModel):
    """One account as the agent needs it."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    account_id: str
    """The desktop's id of the account, a ULID."""
    platform: Platform
    platform_url: str = ""
    """Practice accounts only: the practice platform's address, always loopback."""
    username: str
    user_id: str | None = None
    """The platform's own id; unknown until the first sign-in."""
    password: WireSecret | None = None
    totp_seed: WireSecret | None = None
    """Base32, as the platform shows it when two-factor sign-in is set up."""
    session: WireSecret | None = None
    """The saved sign-in state of `driver`, JSON text; its content is the driver's own."""
    session_version: int = 0
    """Counts up with each saved session: the higher one is the newer one."""
    driver: DriverName
    proxy: ProxyAccess | None = None

    @property
    def identity(self) -> str:
        """The name under which an agent fences this account."""
        return account_identity(self.platform, self.user_id, self.username)

    def secrets(self) -> list[str]:
        """Return every secret text in here, for redaction."""
        held = [self.password, self.totp_seed, self.session]
        if self.proxy:
            held.append(self.proxy.password)
        return [secret.get_secret_value() for secret in held if secret]
