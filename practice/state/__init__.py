"""What the platform knows, and the append-only files from which it is rebuilt."""
