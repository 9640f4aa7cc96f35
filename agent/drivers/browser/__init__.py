"""The driver over a real Chromium: one persistent profile per account, driven by Playwright."""
