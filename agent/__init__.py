"""The agent: a headless daemon on one worker machine. Imports `common` only."""
