"""The agent's one door: TLS, tokens, the control and bulk links, and the HTTP routes."""
