"""A proxy with passwords in front of the platform, so that proxied accounts can be practised."""
