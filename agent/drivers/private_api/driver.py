"""The operations of the private API, each as composed low-level calls in a worker thread.

Reads are authenticated reads of the account itself; nothing falls back to public pages.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, TypeVar

from agent.drivers.hooks import ItemHooks
from agent.drivers.one_time import one_time_password
from agent.drivers.posts import page_url, remote_id
from agent.drivers.private_api.client import AccountClient
from agent.drivers.private_api.configure import Configured, configure, is_transcoding
from agent.drivers.private_api.errors import Stake, classify
from agent.drivers.private_api.own_feed import OwnFeed
from agent.drivers.private_api.uploads import upload_photo, upload_video
from agent.drivers.private_api.workers import Workers
from agent.drivers.sessions import seal_tag
from common.access import AccountAccess
from common.domain.accounts import DriverName
from common.domain.content import Baseline, ListedPost, MediaKind, PostKind
from common.errors import AmbiguousEffectError, CredentialsRefusedError, FlotillaError
from common.operations import (
    Credentials,
    Identity,
    MediaFile,
    Operation,
    Post,
    PreparedPost,
    PublishedPost,
    Settlement,
    SignedIn,
    Whose,
)

T = TypeVar("T")
_UPLOAD_IDS = "upload_ids"
_TRANSCODE_SECONDS = 5.0
_TRANSCODE_TRIES = 36


class PrivateApiDriver:
    """One account's operations for one item."""

    name = DriverName.PRIVATE_API
    settlements: ClassVar = {Operation.PUBLISH: Settlement.PROBE}

    def __init__(
        self,
        account: AccountAccess,
        client: AccountClient,
        feed: OwnFeed,
        workers: Workers,
        hooks: ItemHooks,
        *,
        transcode_seconds: float = _TRANSCODE_SECONDS,
    ) -> None:
        """Make the driver; `transcode_seconds` lie between two questions after a video."""
        self._transcode_seconds = transcode_seconds
        self._account = account
        self._client = client
        self._feed = feed
        self._workers = workers
        self._hooks = hooks
        self._sizes: dict[str, tuple[int, int]] = {}

    async def sign_in(self, credentials: Credentials) -> SignedIn:
        """See `common.operations.SignsIn`."""
        username, seed = credentials.username, credentials.totp_seed
        password = credentials.password.get_secret_value()
        if not password:
            raise CredentialsRefusedError(
                f"No password is stored for {username}.", subject=username, field="password"
            )

        def code() -> str:
            return one_time_password(username, seed, time.time()) if seed else ""

        self._feed.forget()
        await self._call(
            Stake.SIGN_IN,
            lambda: self._client.sign_in(username, password, code if seed else None),
        )
        return await self.verify_session()

    async def verify_session(self) -> SignedIn:
        """See `common.operations.VerifiesSession`."""
        client = self._client
        found = await self._call(Stake.READ, client.account_info)
        session = seal_tag(self._account, self.name, {"settings": client.settings_to_keep()})
        return SignedIn(Identity(str(found.pk), str(found.username)), session)

    def plan_publish(self, post: Post) -> dict[str, str]:
        """Choose one upload id per file; see `common.operations.Publishes`."""
        first = int(time.time() * 1000)
        return {_UPLOAD_IDS: ",".join(str(first + place) for place in range(len(post.files)))}

    async def prepare_publish(self, post: Post, resume: dict[str, str]) -> PreparedPost:
        """Upload every file under its id in `resume`; see `common.operations.Publishes`."""
        upload_ids = resume[_UPLOAD_IDS].split(",")
        in_album = post.kind is PostKind.CAROUSEL
        for place, (file, upload_id) in enumerate(zip(post.files, upload_ids, strict=True)):
            self._hooks.progress("Uploading", place / len(upload_ids))
            await self._upload(file, upload_id, in_album)
        return PreparedPost(post, resume, self._client.wire.platform_time)

    async def publish(self, prepared: PreparedPost) -> PublishedPost:
        """Send the configure request; see `common.operations.Publishes`."""
        upload_ids = prepared.resume[_UPLOAD_IDS].split(",")

        def work() -> Configured | None:
            return self._configure(prepared.post, upload_ids)

        for _ in range(_TRANSCODE_TRIES):
            made = await self._call(Stake.EFFECT, work)
            if made:
                return self._published(made)
            # The platform said that nothing is published yet, so asking again repeats nothing.
            self._hooks.progress("The platform is reading the video", None)
            await asyncio.sleep(self._transcode_seconds)
        raise AmbiguousEffectError(
            f"The platform did not finish reading the video of {self._account.username}.",
            subject=self._account.username,
        )

    async def take_baseline(self, *, fresh: bool = False) -> Baseline:
        """Mostly without asking; see `common.operations.FindsPublished`."""
        if fresh:
            self._feed.forget()
        return await self._call(Stake.READ, self._feed.baseline)

    async def find_published(self, since: Baseline, *, fresh: bool = True) -> Sequence[ListedPost]:
        """Read the account's own feed; see `common.operations.FindsPublished`."""
        if fresh:
            return await self._call(Stake.LOOK, lambda: self._feed.newer(since))
        return await self._call(Stake.READ, lambda: self._feed.newer_as_known(since))

    async def whose_post(self, remote_id: str) -> Whose:
        """Read the one post; see `common.operations.TellsWhosePost`."""
        return await self._call(Stake.LOOK, lambda: self._feed.whose(remote_id))

    def _published(self, made: Configured) -> PublishedPost:
        number = remote_id(made.number, str(self._client.user_id or ""))
        self._feed.confirmed(number)
        return PublishedPost(number, page_url(self._account, made.code))

    def _configure(self, post: Post, upload_ids: list[str]) -> Configured | None:
        try:
            return configure(self._client, post, upload_ids, self._sizes)
        except Exception:
            if is_transcoding(self._client.wire.last):
                return None
            raise

    async def _upload(self, file: MediaFile, upload_id: str, in_album: bool) -> None:
        def photo() -> None:
            sent = upload_photo(self._client, Path(file.path), upload_id, in_album=in_album)
            self._sizes[upload_id] = (sent.width, sent.height)

        def video() -> None:
            upload_video(self._client, file, upload_id, in_album=in_album)

        await self._call(Stake.UPLOAD, video if file.kind is MediaKind.VIDEO else photo)

    async def _call(self, stake: Stake, work: Callable[[], T]) -> T:
        """Run `work` in a thread and translate what goes wrong.

        An effect, and what settles a doubt about one, cannot be cancelled.
        """
        client, hooks = self._client, self._hooks
        cancel = None if stake in (Stake.EFFECT, Stake.LOOK) else hooks.cancel

        def guarded() -> T:
            if cancel:
                cancel.check()
            client.wire.begin(
                lambda line: hooks.log("debug", line), cancel, decides=stake is Stake.EFFECT
            )
            try:
                return work()
            except FlotillaError:
                raise
            except Exception as error:
                wire = client.wire
                translated = classify(self._account.username, stake, error, wire.last, wire.cut)
                raise translated from error

        run = self._workers.run_upload if stake is Stake.UPLOAD else self._workers.run
        return await run(guarded)
