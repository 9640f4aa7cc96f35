"""One example of everything that travels, with every field set. No secret in it is real."""

from common.access import AccountAccess, ProxyAccess
from common.domain.accounts import DriverName, Platform
from common.domain.content import Baseline, ListedPost, MediaKind, Placement, PostKind
from common.domain.states import ActionState, ItemState, SignInState
from common.errors import ProxyFailedError
from common.items import ItemSpec, MediaRef, PublishSpec
from common.protocol import bulk, events, messages

ID = "01JDM0000000000000000000ID"
SHA256 = "ab" * 32
ERROR = (
    ProxyFailedError("The proxy refused.", subject="harbour.bergen")
    .to_wire()
    .model_copy(update={"field": "proxy", "line": 3})
)
BASELINE = Baseline(
    post_ids=("6_42", "5_42"), platform_time=1763899990.0, is_estimate=True, clock_ahead=0.5
)
LISTED = ListedPost(
    remote_id="7_42", url="http://127.0.0.1:8090/p/x/", kind=PostKind.REEL,
    caption="Evening sail\n\n#harbour", taken_at=1763900003.0,
)  # fmt: skip

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
        doubt=BASELINE,
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
        remote_id="7_42", remote_url="http://127.0.0.1:8090/p/x/", note="found by caption and time",
        baseline=BASELINE, sighted=[LISTED], by="Astrid",
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
    capacity=2.0, accounts_held=3, dead_man_hours=24.0, seen_mark=11,
)  # fmt: skip

MESSAGES: list[messages.Message] = [
    messages.Hello(
        proto_minimum=1, proto_maximum=1, app="0.1.0", features=["screens"], clock=1763900000.0,
        store_id=ID, desktop_name="studio", agent=CARD,
        cursor=messages.Cursor(epoch=ID, seq=16, at=1763899999.5), mark=12,
    ),
    messages.Heartbeat(
        clock=1763900000.0, running=1, queued=2, loop_lag=0.001, disk_free=10**9,
        is_disk_full=True, echo=1763899999.0, mark=13,
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
    messages.ControlItems(id=ID, verb="cancel", item_ids=[ID], fences={ID: 3}),
    messages.SettleAction(
        id=ID, item_id=ID, action_id=ID, fence=3, verdict="there", remote_id="7_42",
        remote_url="http://127.0.0.1:8090/p/x/", by="Astrid", check=True,
    ),
    messages.AskInventory(id=ID),
    messages.ReadLog(id=ID, item_id=ID, attempt=2, offset=128, limit=1024),
    messages.AskBlobs(id=ID, sha256s=[SHA256]),
    messages.WatchScreen(id=ID, account_id=ID, channel=7, width=480),
    messages.StopScreen(id=ID, channel=7),
    messages.Accepted(id=ID, item_id=ID, attempt=2),
    messages.Controlled(id=ID, done=[ID], refused={ID: ERROR}, complete=False),
    messages.Inventory(
        id=ID,
        rows=[
            messages.InventoryRow(
                item_id=ID, run_id=ID, account_id=ID, attempt=2, state=ItemState.RUNNING, fence=3,
                action_id=ID, action=ActionState.SENDING, remote_id="7_42",
                remote_url="http://127.0.0.1:8090/p/x/",
            )
        ],
        complete=False,
        last_seq=20,
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
