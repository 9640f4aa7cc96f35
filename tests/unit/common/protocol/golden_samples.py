"""One example of everything that travels, with every field set. No secret in it is real."""

from common.access import AccountAccess, ProxyAccess
from common.domain.accounts import DriverName, Platform
from common.domain.content import MediaKind, Placement, PostKind
from common.domain.states import ActionState, ItemState, SignInState
from common.errors import ProxyFailedError
from common.items import ItemSpec, MediaRef, PublishSpec
from common.protocol import bulk, events, messages

ID = "01JDM0000000000000000000ID"
SHA256 = "ab" * 32
ERROR = ProxyFailedError("The proxy refused.", subject="harbour.bergen").to_wire()

ITEM = ItemSpec(
    item_id=ID,
    run_id=ID,
    task="bulk_upload",
    title="Reel “Evening sail”",
    attempt=2,
    fence=3,
    account=AccountAccess(
        account_id=ID,
        platform=Platform.PRACTICE,
        platform_url="http://127.0.0.1:8090",
        username="harbour.bergen",
        user_id="42",
        password="not a password",
        totp_seed="JBSWY3DPEHPK3PXP",
        session="{}",
        session_version=1,
        driver=DriverName.PRIVATE_API,
        proxy=ProxyAccess(
            proxy_id=ID, url="http://127.0.0.1:3128", username="voyage", password="nor this"
        ),
    ),
    parameters={"force": False},
    publish=PublishSpec(
        intent_id=ID,
        content_key=SHA256,
        placement=Placement.REEL,
        kind=PostKind.REEL,
        media=[
            MediaRef(
                sha256=SHA256, size=4096, name="sail.mp4", kind=MediaKind.VIDEO,
                width=720, height=1280, duration=6.0,
            )
        ],
        caption="Evening sail\n\n#harbour",
    ),
    not_before=1763900000.5,
)  # fmt: skip

EVENTS: list[events.AgentEvent] = [
    events.ItemChanged(
        item_id=ID, attempt=2, state=ItemState.FAILED, step="Uploading", error=ERROR,
        result={"url": "http://127.0.0.1:8090/p/x/"}, log_end=512,
    ),
    events.ActionChanged(
        action_id=ID, item_id=ID, attempt=2, account_id=ID, operation="publish",
        state=ActionState.CONFIRMED, driver=DriverName.BROWSER, resume={"upload_id": "1"},
        remote_id="7_42", remote_url="http://127.0.0.1:8090/p/x/", note="the platform confirmed it",
    ),
    events.SessionSaved(
        account_id=ID, driver=DriverName.PRIVATE_API, version=4, session="{}", user_id="42",
        username="harbour.bergen",
    ),
    events.AccountObserved(
        account_id=ID, sign_in=SignInState.REFUSED, driver=DriverName.PRIVATE_API, user_id="42",
        error=ERROR,
    ),
]  # fmt: skip

CARD = messages.AgentCard(
    agent_id="a" * 52, name="worker-3", boot_id=ID, epoch=ID, lowest_seq=17,
    drivers=["private_api", "browser"], tasks=["bulk_login", "bulk_upload"], browser_slots=4,
    capacity=2.0, accounts_held=3,
)  # fmt: skip

MESSAGES: list[messages.Message] = [
    messages.Hello(
        proto_minimum=1, proto_maximum=1, app="0.1.0", features=["screens"], clock=1763900000.0,
        store_id=ID, desktop_name="studio", cursor=messages.Cursor(epoch=ID, seq=16), agent=CARD,
    ),
    messages.Heartbeat(
        clock=1763900000.0, running=1, queued=2, loop_lag=0.001, disk_free=10**9, echo=1763899999.0
    ),
    messages.Goodbye(error=ERROR),
    messages.Events(
        epoch=ID,
        rows=[
            events.OutboxRow(seq=17 + n, at=1763900000.0, body=event.model_dump(mode="json"))
            for n, event in enumerate(EVENTS)
        ],
    ),
    messages.Acknowledge(epoch=ID, seq=20),
    messages.Progress(item_id=ID, attempt=2, step="Uploading", fraction=0.5, log_end=128),
    messages.ScreenSeen(channel=7),
    messages.AcceptItem(id=ID, item=ITEM),
    messages.ControlItems(id=ID, verb="cancel", item_ids=[ID]),
    messages.AskInventory(id=ID),
    messages.ReadLog(id=ID, item_id=ID, attempt=2, offset=128, limit=1024),
    messages.AskBlobs(id=ID, sha256s=[SHA256]),
    messages.WatchScreen(id=ID, account_id=ID, channel=7, width=640),
    messages.StopScreen(id=ID, channel=7),
    messages.Accepted(id=ID, item_id=ID, attempt=2),
    messages.Controlled(id=ID, done=[ID], refused={ID: ERROR}),
    messages.Inventory(
        id=ID,
        rows=[
            messages.InventoryRow(
                item_id=ID, run_id=ID, account_id=ID, attempt=2, state=ItemState.RUNNING, fence=3
            )
        ],
        complete=False,
    ),
    messages.LogChunk(id=ID, offset=0, text='{"at":1,"level":"info","text":"ok"}\n', end=37),
    messages.MissingBlobs(id=ID, sha256s=[SHA256]),
    messages.Done(id=ID),
    messages.Refused(id=ID, error=ERROR),
]  # fmt: skip

BULK: list[bulk.BulkMessage] = [
    bulk.OfferBlob(channel=1, sha256=SHA256, size=4096),
    bulk.BlobOffset(channel=1, offset=1024),
    bulk.BlobReceived(channel=1, offset=2048),
    bulk.BlobStored(channel=1),
    bulk.BlobRefused(channel=1, error=ERROR),
]
