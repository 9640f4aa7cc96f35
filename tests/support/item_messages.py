"""Items as an agent hands them to a runner."""

from pathlib import Path

from agent.runners.messages import ActionRecord, StartItem
from common.access import AccountAccess
from common.domain.content import PLACEMENT_OF, PostKind, content_key
from common.domain.ids import new_id
from common.items import ItemSpec, MediaRef, PublishSpec
from common.operations import Post


def login_item(
    account: AccountAccess, folder: Path, *, force: bool = False, item_id: str | None = None
) -> StartItem:
    """Return a bulk login of one account."""
    item = ItemSpec(
        item_id=item_id or new_id(),
        run_id=new_id(),
        task="bulk_login",
        title=f"Sign in {account.username}",
        fence=1,
        account=account,
        parameters={"force": force},
    )
    return StartItem(item=item, files={}, account_dir=str(folder))


def upload_item(
    account: AccountAccess, folder: Path, post: Post, action: ActionRecord | None = None
) -> StartItem:
    """Return a bulk upload of one post."""
    media = [
        MediaRef(
            sha256=file.sha256,
            size=Path(file.path).stat().st_size,
            name=Path(file.path).name,
            kind=file.kind,
            width=file.width,
            height=file.height,
            duration=file.duration,
        )
        for file in post.files
    ]
    kind = PostKind(post.kind)
    item = ItemSpec(
        item_id=new_id(),
        run_id=new_id(),
        task="bulk_upload",
        title="A post",
        fence=1,
        account=account,
        publish=PublishSpec(
            intent_id=action.action_id if action else new_id(),
            content_key=content_key([file.sha256 for file in post.files]),
            placement=PLACEMENT_OF[kind],
            kind=kind,
            media=media,
            caption=post.caption,
        ),
    )
    files = {file.sha256: str(file.path) for file in post.files}
    return StartItem(item=item, files=files, account_dir=str(folder), action=action)
