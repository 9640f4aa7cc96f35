"""Everything the platform knows, opened from one folder."""

import time
from pathlib import Path
from typing import Unpack

from practice.crypto import KeyRing
from practice.state.accounts import AccountBook, NewAccount
from practice.state.journal import Journal
from practice.state.ledger import Facts, Ledger
from practice.state.listings import Listings
from practice.state.media import MediaStore
from practice.state.posts import PostBook, UploadBook
from practice.state.proxies import ProxyBook
from practice.state.sessions import SessionBook
from practice.values import (
    Account,
    FaultKind,
    LedgerRecord,
    RecordKind,
    RequestContext,
    Session,
)


class PlatformState:
    """The books of the platform. Opening the same folder again restores all of them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.keys = KeyRing.open(folder)
        self._journals = {
            name: Journal(folder / f"{name}.jsonl")
            for name in ("accounts", "sessions", "proxies", "ledger")
        }
        self.accounts = AccountBook(self._journals["accounts"], self.keys)
        self.sessions = SessionBook(self._journals["sessions"])
        self.proxies = ProxyBook(self._journals["proxies"], self.keys)
        self.ledger = Ledger(self._journals["ledger"])
        self.media = MediaStore(folder / "media")
        self.uploads = UploadBook()
        self.posts = PostBook()
        self.listings = Listings(self.posts, time.time)
        self.resets = 0
        """How often everything was forgotten since the folder was opened."""
        for record in self.ledger.take_replay():
            self._apply(record)

    def record(
        self,
        kind: RecordKind,
        account: Account,
        context: RequestContext,
        **facts: Unpack[Facts],
    ) -> LedgerRecord:
        """Write one effect on an account to the ledger and let the books follow."""
        return self._record(kind, account.username, account.user_id, context, **facts)

    def record_stranger(
        self, kind: RecordKind, username: str, context: RequestContext, reason: str
    ) -> LedgerRecord:
        """Write what somebody tried under a name that isn't an account."""
        return self._record(kind, username, None, context, reason=reason)

    def record_fault(
        self, fault: FaultKind, route: str, account: Account | None, context: RequestContext
    ) -> LedgerRecord:
        """Write that a fault hit a request, before anything else comes of it."""
        username, user_id = (account.username, account.user_id) if account else ("", None)
        return self._record("fault", username, user_id, context, fault=fault, route=route)

    def create_account(self, wanted: NewAccount, context: RequestContext) -> Account:
        """Make an account and record it; raises as ``AccountBook.create`` does."""
        account = self.accounts.create(wanted)
        self.record("account_created", account, context)
        return account

    def close_session(
        self, session: Session, account: Account, kind: RecordKind, context: RequestContext
    ) -> None:
        """End a session, as ``signed_out`` or as ``session_revoked``."""
        self.sessions.close(session)
        self.record(kind, account, context)

    def reset(self) -> None:
        """Forget everything but the keys."""
        self.accounts.clear()
        self.sessions.clear()
        self.proxies.clear()
        self.ledger.clear()
        self.media.clear()
        self.uploads.clear()
        self.posts.clear()
        self.resets += 1

    def close(self) -> None:
        """Let go of every file."""
        for journal in self._journals.values():
            journal.close()

    def _record(
        self,
        kind: RecordKind,
        username: str,
        user_id: int | None,
        context: RequestContext,
        **facts: Unpack[Facts],
    ) -> LedgerRecord:
        record = self.ledger.append(kind, username, user_id, context, **facts)
        self._apply(record)
        return record

    def _apply(self, record: LedgerRecord) -> None:
        self.uploads.apply(record)
        self.posts.apply(record)
