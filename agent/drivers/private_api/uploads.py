"""Bringing bytes to the platform under upload ids that were chosen before.

The library's own upload calls choose the id of a video only while they send it; here it is known
beforehand, so that it can be journaled first. Nothing here is visible to anybody, and may be
repeated.
"""

import json
import random
from pathlib import Path
from uuid import uuid4

import requests

from agent.drivers.private_api.client import AccountClient
from agent.drivers.private_api.reel_settings import settings_headers, settings_text
from agent.media.photo import COVER, FEED, PhotoRules, ReadyPhoto, make_ready
from common.operations import MediaFile

_HOST = "https://i.instagram.com"
_REEL = {
    "content_tags": "use_default_cover",
    "debug_segment_id": "0",
    "extract_cover_frame": "1",
    "is_clips_video": "1",
    "is_optimistic_upload": "true",
    "provenance_metadata": '{"origin": ["EXTERNAL"]}',
    "share_type": "reels",
    "stella_data": "{}",
    "upload_engine_config_enum": "0",
}
"""What marks an upload as a reel, as the library's own upload call has it."""
_NO_RETRIES = '{"num_step_auto_retry":0,"num_reupload":0,"num_step_manual_retry":0}'


class UploadRefusedError(Exception):
    """The platform did not take the bytes; the recorded exchange says why."""


def upload_photo(
    client: AccountClient, path: Path, upload_id: str, *, in_album: bool = False
) -> ReadyPhoto:
    """Upload a photo for the feed; return it as it was sent."""
    return _send_photo(client, path, upload_id, FEED, in_album=in_album)


def upload_video(
    client: AccountClient, file: MediaFile, upload_id: str, *, in_album: bool = False
) -> None:
    """Upload a video and, under the same id, its cover."""
    path = Path(file.path)
    size = path.stat().st_size
    name = f"{upload_id}_0_{random.randint(10**9, 10**10 - 1)}"
    if not in_album:
        _announce_reel(client, file, size)
    headers = _video_headers(file, upload_id, in_album=in_album)
    url = f"{_HOST}/rupload_igvideo/{name}"
    _require_taken(client.private.get(url, headers=client.private_headers(headers)))
    entity = _entity(name, size, "video/mp4")
    with path.open("rb") as data:
        # A file of known size is streamed: a video never lies in memory whole.
        answer = client.private.post(
            url, data=data, headers=client.private_headers({**headers, **entity})
        )
    _require_taken(answer)
    if file.cover:
        _send_photo(client, Path(file.cover), upload_id, COVER, in_album=False)


def _announce_reel(client: AccountClient, file: MediaFile, size: int) -> None:
    session = str(uuid4())
    text = settings_text(client, file, size, session)
    answer = client.private.post(
        f"{_HOST}/upload_settings/{session}",
        data=text,
        headers=client.private_headers(settings_headers(text, session)),
    )
    _require_taken(answer)


def _send_photo(
    client: AccountClient, path: Path, upload_id: str, rules: PhotoRules, *, in_album: bool
) -> ReadyPhoto:
    photo = make_ready(path, rules)
    name = f"{upload_id}_0_{random.randint(10**9, 10**10 - 1)}"
    params = {
        "retry_context": _NO_RETRIES,
        "media_type": "1",
        "xsharing_user_ids": "[]",
        "upload_id": upload_id,
        "image_compression": '{"lib_name":"moz","lib_version":"3.1.m","quality":"80"}',
        **({"is_sidecar": "1"} if in_album else {}),
    }
    headers = {
        "Accept-Encoding": "gzip",
        "X-Instagram-Rupload-Params": json.dumps(params),
        "X_FB_PHOTO_WATERFALL_ID": str(uuid4()),
        **_entity(name, len(photo.data), "image/jpeg"),
    }
    answer = client.private.post(
        f"{_HOST}/rupload_igphoto/{name}",
        data=photo.data,
        headers=client.private_headers(headers),
    )
    _require_taken(answer)
    return photo


def _video_headers(file: MediaFile, upload_id: str, *, in_album: bool) -> dict[str, str]:
    params = {
        "retry_context": _NO_RETRIES,
        "media_type": "2",
        "xsharing_user_ids": "[]",
        "upload_id": upload_id,
        "upload_media_duration_ms": str(int(file.duration * 1000)),
        "upload_media_width": str(file.width),
        "upload_media_height": str(file.height),
        **({"is_sidecar": "1"} if in_album else {**_REEL, "session_id": upload_id}),
    }
    return {
        "Accept-Encoding": "gzip, deflate",
        "X-Instagram-Rupload-Params": json.dumps(params),
        "X_FB_VIDEO_WATERFALL_ID": str(uuid4()),
        "Segment-Start-Offset": "0",
        "Segment-Type": "3",
    }


def _entity(name: str, size: int, kind: str) -> dict[str, str]:
    return {
        "X-Entity-Type": kind,
        "X-Entity-Name": name,
        "X-Entity-Length": str(size),
        "Content-Type": "application/octet-stream",
        "Content-Length": str(size),
        "Offset": "0",
    }


def _require_taken(response: requests.Response) -> None:
    if response.status_code != 200:
        raise UploadRefusedError
