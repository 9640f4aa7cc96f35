"""What tests of drivers share: accounts of a practice platform, posts, and hooks that remember."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyotp
from pydantic import SecretStr

from agent.drivers.hooks import ItemHooks
from common.access import AccountAccess, ProxyAccess
from common.domain.accounts import DriverName, Platform
from common.domain.content import MediaKind, PostKind
from common.domain.ids import new_id
from common.operations import Credentials, MediaFile, Post
from tests.support.practice_process import PracticeProcess

PASSWORD = "correct horse battery"


@dataclass
class Remembered:
    """What a driver said through its hooks."""

    lines: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    def hooks(self) -> ItemHooks:
        """Return hooks that write in here."""
        return ItemHooks(
            lambda _level, text: self.lines.append(text), lambda step, _: self.steps.append(step)
        )


def seed_account(
    practice: PracticeProcess, name: str, *, totp: bool = False, **fields: Any
) -> AccountAccess:
    """Make an account at the platform and return it as an agent gets it."""
    seed = pyotp.random_base32() if totp else None
    wanted = {"username": name, "password": PASSWORD, **fields}
    practice.seed([{**wanted, **({"totp_seed": seed} if seed else {})}])
    return AccountAccess(
        account_id=new_id(),
        platform=Platform.PRACTICE,
        platform_url=practice.url,
        username=name,
        password=SecretStr(PASSWORD),
        totp_seed=SecretStr(seed) if seed else None,
        driver=DriverName.PRIVATE_API,
    )


def credentials_of(account: AccountAccess, password: str = PASSWORD) -> Credentials:
    """Return what a sign-in of `account` needs."""
    return Credentials(account.username, SecretStr(password), account.totp_seed)


def proxy_access(url: str) -> ProxyAccess:
    """Return a proxy URL with credentials in it as an agent gets it."""
    parts = urlsplit(url)
    return ProxyAccess(
        proxy_id="proxy",
        url=f"{parts.scheme}://{parts.hostname}:{parts.port}",
        username=parts.username or "",
        password=SecretStr(parts.password or ""),
    )


def media_file(path: Path, kind: MediaKind, size: tuple[int, int], **fields: Any) -> MediaFile:
    """Return a file as a driver gets it."""
    digest = sha256(path.read_bytes()).hexdigest()
    return MediaFile(path, digest, kind, *size, **fields)


def photo_post(path: Path, caption: str = "A photo") -> Post:
    """Return a post of one photo in the size that `make_photo` makes."""
    return Post(PostKind.PHOTO, [media_file(path, MediaKind.PHOTO, (1080, 1350))], caption)


@contextmanager
def no_proxy_listening() -> Iterator[str]:
    """Yield the address of a proxy where nothing listens."""
    import socket

    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # bound, never listening: a connection is refused
        yield f"http://user:password@127.0.0.1:{bound.getsockname()[1]}"
