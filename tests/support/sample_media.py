"""Small real media, made on the spot: JPEGs by Pillow, MP4s by ffmpeg."""

import subprocess
from pathlib import Path

import imageio_ffmpeg
from PIL import Image, ImageDraw

FFMPEG_SECONDS = 60


def make_photo(path: Path, number: int = 0, size: tuple[int, int] = (1080, 1350)) -> Path:
    """A JPEG whose bytes differ for each ``number``."""
    hue = number * 47 % 256
    image = Image.new("HSV", size, (hue, 120, 200)).convert("RGB")
    draw = ImageDraw.Draw(image)
    draw.ellipse((size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2), fill="white")
    draw.text((20, 20), f"sample {number}", fill="black")
    image.save(path, quality=85)
    return path


def make_reel(
    path: Path, seconds: float = 3.0, size: tuple[int, int] = (360, 640), tone: int = 330
) -> Path:
    """An H.264 and AAC MP4 with sound; ``tone`` in Hz makes its bytes differ."""
    width, height = size
    picture = f"testsrc2=s={width}x{height}:r=24:d={seconds}"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error", "-y"]
    command += ["-f", "lavfi", "-i", picture]
    command += ["-f", "lavfi", "-i", f"sine=f={tone}:d={seconds}"]
    command += ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    command += ["-c:a", "aac", "-movflags", "+faststart", str(path)]
    subprocess.run(command, check=True, timeout=FFMPEG_SECONDS)
    return path
