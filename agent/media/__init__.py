"""Media on the agent: making files ready for a driver. ffmpeg runs as a separate program."""
