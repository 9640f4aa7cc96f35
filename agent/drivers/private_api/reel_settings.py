"""What the mobile client announces before it uploads a reel, as the library's own call has it."""

import json
from uuid import uuid4

from agent.drivers.private_api.client import AccountClient
from common.operations import MediaFile

_ZERO_VIDEO = {
    "audio_bit_rate_bps": -1,
    "audio_codec_type": None,
    "source_video_codec": None,
    "video_bit_rate_bps": 0,
    "video_fps": 30,
    "video_gop_size_sec": 0,
    "video_key_frame_size_bytes": 0,
    "video_partial_frame_size_bytes": 0,
    "video_rotation_angle": 0,
}
_NETWORK = {
    "download_bandwidth_connection_quality": "ig_dummy",
    "download_latency_connection_quality": "ig_dummy",
    "network_connection_name": "ig_dummy",
}


def settings_text(client: AccountClient, file: MediaFile, size: int, session: str) -> str:
    """Return the announcement of `file`, `size` bytes, as JSON text."""
    milliseconds = int(file.duration * 1000)
    context: dict[str, object] = {
        "source_attribution": None,
        "enable_video_dimension_upscale": False,
        "source_type": "clips",
        "quality": "",
    }
    if client.user_id:
        context["target_id"] = int(client.user_id)
    video = {
        **_ZERO_VIDEO,
        "asset_id": uuid4().hex[:12].upper(),
        "target_duration": int(file.duration),
        "video_duration_milliseconds": milliseconds,
        "video_height": file.height,
        "video_original_file_size": size,
        "video_width": file.width,
    }
    properties = {
        "upload_settings_version": "v0.1",
        "codec": {},
        "context": context,
        "video": video,
        "creative_tools": {"transmuxing_eligible": False, "transcoding_required": True},
        "network": _NETWORK,
    }
    preview = {"spec_version": 1, "video_dur_ms": milliseconds, "audio_dur_ms": milliseconds}
    return json.dumps(
        {
            "composer_session_id": session,
            "upload_setting_properties": properties,
            "preview_spec": preview,
        }
    )


def settings_headers(text: str, session: str) -> dict[str, str]:
    """Return the headers that belong to an announcement."""
    length = str(len(text.encode()))
    return {
        "Accept-Encoding": "gzip",
        "Content-Type": "application/json",
        "Content-Length": length,
        "Offset": "0",
        "X-Entity-Length": length,
        "X-Entity-Name": "upload_settings",
        "X-Entity-Type": "application/json",
        "X_FB_VIDEO_WATERFALL_ID": f"{session}_settings",
    }
