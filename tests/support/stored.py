"""Stores for tests, and what to put into them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import Connection, Engine

from common.domain.accounts import DriverName, Platform
from common.domain.content import MediaKind, Placement, PostKind
from common.domain.ids import new_id
from common.protocol.messages import Cursor
from common.security.pairing import new_token
from common.security.sealing import new_key
from desktop_app.contract.media import MediaRow
from desktop_app.store import accounts, agents, runs
from desktop_app.store.accounts import NewAccount
from desktop_app.store.engine import WRITER, make_engine
from desktop_app.store.master_keys import KeySource, VaultChoice
from desktop_app.store.records import IntentClaim, NewItem, NewRun
from desktop_app.store.store import Store, open_store
from desktop_app.store.upgrade import upgrade
from desktop_app.store.vault import Vault

EPOCH = "first-life"
PASSWORD = "kelp-forest-4711"
SEED = "JBSWY3DPEHPK3PXP"
TOKEN = "agent-token-of-the-test"
PHOTO = MediaRow(
    sha256="d" * 64,
    name="harbour.jpg",
    title="Harbour",
    kind=MediaKind.PHOTO,
    size=1000,
    width=1080,
    height=1080,
    added_at=1.0,
)
"""The file in every post of `upload_items`; only a core that hands posts over needs its row."""


@contextmanager
def engine_at(url: str) -> Iterator[Engine]:
    """A database with this release's tables."""
    engine = make_engine(url)
    try:
        upgrade(engine, None)
        yield engine
    finally:
        engine.dispose()


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A connection in a write transaction, committed at the end."""
    with engine.connect().execution_options(**{WRITER: True}) as connection, connection.begin():
        yield connection


def open_test_store(folder: Path, url: str | None = None) -> Store:
    """A whole store in `folder`, with its key beside it."""
    choice = VaultChoice(KeySource.KEY_FILE, folder.with_name(f"{folder.name}.key"))
    return open_store(folder, vault=choice, url=url)


def new_vault() -> Vault:
    """A vault with a key of its own."""
    return Vault(new_key())


def add_accounts(
    connection: Connection, vault: Vault, usernames: Sequence[str], **values: object
) -> list[str]:
    """Practice accounts with password and seed; returns their ids in order."""
    new = [
        NewAccount(
            id=new_id(),
            platform=Platform.PRACTICE,
            platform_url="http://127.0.0.1:1",
            username=username,
            password=SecretStr(PASSWORD),
            totp_seed=SecretStr(SEED),
            **values,  # type: ignore[arg-type]
        )
        for username in usernames
    ]
    accounts.insert(connection, vault, new, at=1.0)
    return [account.id for account in new]


def add_agent(connection: Connection, vault: Vault, agent_id: str = "a" * 52) -> str:
    """A paired agent whose history has begun."""
    agents.save_pairing(
        connection,
        vault,
        agent_id=agent_id,
        name="worker",
        host="127.0.0.1",
        port=8088,
        certificate="PEM",
        token=SecretStr(TOKEN),
        scope="control",
        at=1.0,
    )
    agents.begin_history(connection, agent_id, Cursor(epoch=EPOCH, seq=0), at=1.0)
    return agent_id


def add_listening_agent(
    connection: Connection, vault: Vault, *, agent_id: str, name: str, port: int, certificate: str
) -> None:
    """Pair with an agent that listens on this machine, and from which nothing was heard yet."""
    agents.save_pairing(
        connection,
        vault,
        agent_id=agent_id,
        name=name,
        host="127.0.0.1",
        port=port,
        certificate=certificate,
        token=SecretStr(new_token()),
        scope="control",
        at=1.0,
    )


def upload_items(
    account_ids: Sequence[str], agent_id: str | None, *, content_key: str = "c" * 64
) -> list[NewItem]:
    """One publishing item per account, all with one content."""
    items = []
    for number, account_id in enumerate(account_ids):
        item_id = new_id()
        claim = IntentClaim(
            account_id=account_id,
            username=f"user{number}",
            item_id=item_id,
            content_key=content_key,
            placement=Placement.FEED,
            kind=PostKind.PHOTO,
            caption="Harbour at dusk",
            media=("d" * 64,),
        )
        items.append(
            NewItem(
                id=item_id,
                account_id=account_id,
                username=f"user{number}",
                agent_id=agent_id,
                title="Photo",
                driver=DriverName.PRIVATE_API,
                driver_reason="first that can",
                claim=claim,
            )
        )
    return items


def add_run(
    connection: Connection, items: Sequence[NewItem], name: str = "Morning"
) -> tuple[str, runs.RunStored]:
    """A stored run of these items."""
    run = NewRun(
        id=new_id(), name=name, task="bulk_upload", parameters={}, targets={}, created_at=1.0
    )
    return run.id, runs.insert(connection, run, items, at=1.0)
