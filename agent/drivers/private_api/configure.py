"""The one request that makes an uploaded post visible, composed per kind of post."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.drivers.private_api.client import AccountClient
from agent.drivers.private_api.exchange import Exchange
from common.domain.content import MediaKind, PostKind
from common.operations import Post

_ACCEPTED = 202
_TRANSCODING = "Transcode not finished yet"


@dataclass(frozen=True, slots=True)
class Configured:
    """What the platform says of the post that it made."""

    number: str
    code: str


class UnreadableAnswerError(Exception):
    """The platform answered with a success that names no post."""


def configure(
    client: AccountClient,
    post: Post,
    upload_ids: Sequence[str],
    sizes: Mapping[str, tuple[int, int]],
) -> Configured:
    """Send the request. `sizes` are those of the uploaded pictures, by upload id."""
    first = upload_ids[0]
    if post.kind is PostKind.PHOTO:
        answer = client.photo_configure(first, *sizes[first], post.caption)
    elif post.kind is PostKind.REEL:
        answer = client.configure_reel(post.files[0], first, post.caption)
    else:
        children = [
            _photo_child(upload_id, *sizes[upload_id])
            if file.kind is MediaKind.PHOTO
            else _video_child(upload_id, file.width, file.height, file.duration)
            for file, upload_id in zip(post.files, upload_ids, strict=True)
        ]
        answer = client.album_configure(children, post.caption)
    return _read(answer)


def is_transcoding(last: Exchange | None) -> bool:
    """Say whether the answer proves that nothing was published yet: the video is still read in."""
    if last is None or last.status != _ACCEPTED:
        return False
    return _TRANSCODING in last.text


def _read(answer: Any) -> Configured:
    media = answer.get("media") if isinstance(answer, dict) else None
    if not isinstance(media, dict) or not media.get("pk") or not media.get("code"):
        raise UnreadableAnswerError
    return Configured(str(media["pk"]), str(media["code"]))


def _photo_child(upload_id: str, width: int, height: int) -> dict[str, Any]:
    return {
        "upload_id": upload_id,
        "edits": json.dumps(
            {
                "crop_original_size": [width, height],
                "crop_center": [0.0, -0.0],
                "crop_zoom": 1.0,
            }
        ),
        "extra": json.dumps({"source_width": width, "source_height": height}),
        "scene_capture_type": "",
        "scene_type": None,
    }


def _video_child(upload_id: str, width: int, height: int, duration: float) -> dict[str, Any]:
    return {
        "upload_id": upload_id,
        "clips": json.dumps([{"length": duration, "source_type": "4"}]),
        "extra": json.dumps({"source_width": width, "source_height": height}),
        "length": duration,
        "poster_frame_index": "0",
        "filter_type": "0",
        "video_result": "",
        "audio_muted": "false",
    }
