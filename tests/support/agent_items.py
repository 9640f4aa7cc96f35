"""Items and accounts as a desktop would hand them to an agent, for tests."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import SecretStr

from common.access import AccountAccess, ProxyAccess
from common.domain.accounts import DriverName, Platform
from common.domain.content import MediaKind, Placement, PostKind, content_key
from common.domain.ids import new_id
from common.items import ItemSpec, MediaRef, PublishSpec

PASSWORD = "canary-password-1"
TOTP_SEED = "JBSWY3DPEHPK3PXPCANARY22"
SESSION = '{"cookie": "canary-session-1"}'
PROXY_PASSWORD = "canary-proxy-1"
CANARIES = (PASSWORD, TOTP_SEED, "canary-session-1", PROXY_PASSWORD)


def an_account(
    username: str = "ada", *, driver: DriverName = DriverName.PRIVATE_API, is_known: bool = True
) -> AccountAccess:
    """An account with a canary in every secret field; its user id where that `is_known`."""
    return AccountAccess(
        account_id=new_id(),
        platform=Platform.PRACTICE,
        platform_url="http://127.0.0.1:9",
        username=username,
        user_id=f"id-{username}" if is_known else None,
        password=SecretStr(PASSWORD),
        totp_seed=SecretStr(TOTP_SEED),
        session=SecretStr(SESSION),
        session_version=1,
        driver=driver,
        proxy=ProxyAccess(
            proxy_id=new_id(),
            url="http://127.0.0.1:3128",
            username="crew",
            password=SecretStr(PROXY_PASSWORD),
        ),
    )


def a_login(
    account: AccountAccess, script: Sequence[str] = ("done",), *, fence: int = 1
) -> ItemSpec:
    """An item without an effect, that does what `script` says."""
    return ItemSpec(
        item_id=new_id(),
        run_id=new_id(),
        task="bulk_login",
        title="Sign in",
        fence=fence,
        account=account,
        parameters={"script": list(script)},
    )


def a_publish(
    account: AccountAccess,
    script: Sequence[str] = ("prepared", "sending", "confirmed", "done"),
    *,
    doubt: Sequence[str] = ("reconciling", "confirmed", "done"),
    sha256: str = "a" * 64,
    media: Sequence[MediaRef] = (),
    fence: int = 1,
) -> ItemSpec:
    """An item that publishes; its key is that of `sha256`. It needs the files of `media` only.

    It does what `script` says, and what `doubt` says where it may have been published before.
    """
    return ItemSpec(
        item_id=new_id(),
        run_id=new_id(),
        task="bulk_upload",
        title="Photo",
        fence=fence,
        account=account,
        parameters={"script": list(script), "doubt": list(doubt)},
        publish=PublishSpec(
            intent_id=new_id(),
            content_key=content_key([sha256]),
            placement=Placement.FEED,
            kind=PostKind.PHOTO,
            media=list(media),
            caption="Harbour at dusk",
        ),
    )


def a_photo(sha256: str, size: int) -> MediaRef:
    """A photo that must be on the agent before its item starts."""
    return MediaRef(
        sha256=sha256, size=size, name="x.jpg", kind=MediaKind.PHOTO, width=1080, height=1080
    )
