"""The core's local HTTP and WebSocket API: loopback only, one bearer token, no browser origin."""
