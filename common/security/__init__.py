"""Pairing lines, sealing, tokens and redaction: on bytes and text, without I/O."""
