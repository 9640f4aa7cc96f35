"""Reading what the real ffmpeg says of real files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg
import pytest

from common.media_probe import parse_ffmpeg_text
from tests.support.sample_media import make_reel

SECONDS = 60


def ffmpeg(*arguments: str | Path) -> str:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-y", *arguments]
    done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
    return done.stderr.decode(errors="replace")


def test_a_reel_with_sound(tmp_path: Path) -> None:
    facts = parse_ffmpeg_text(ffmpeg("-i", make_reel(tmp_path / "reel.mp4", 1.5, (360, 640))))
    assert facts is not None
    assert (facts.width, facts.height, facts.video_codec, facts.audio_codec) == (
        360,
        640,
        "h264",
        "aac",
    )
    assert facts.duration == pytest.approx(1.5, abs=0.1)
    assert facts.frame_rate == 24.0


def test_a_turned_video_is_as_wide_as_it_is_shown(tmp_path: Path) -> None:
    reel, turned = make_reel(tmp_path / "reel.mp4", 1.0, (360, 640)), tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", "90", "-i", reel, "-c", "copy", turned)
    facts = parse_ffmpeg_text(ffmpeg("-i", turned))
    assert facts is not None
    assert (facts.width, facts.height) == (640, 360)


def test_sound_alone_has_no_picture_and_no_file_no_facts(tmp_path: Path) -> None:
    sound = tmp_path / "sound.m4a"
    ffmpeg("-f", "lavfi", "-i", "sine=d=1", sound)
    assert sound.stat().st_size
    facts = parse_ffmpeg_text(ffmpeg("-i", sound))
    assert facts is not None
    assert (facts.width, facts.video_codec, facts.audio_codec) == (0, "", "aac")
    assert parse_ffmpeg_text(ffmpeg("-i", tmp_path / "nothing.mp4")) is None
    assert parse_ffmpeg_text("") is None
