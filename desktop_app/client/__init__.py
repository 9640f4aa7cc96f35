"""The typed client of the core's local API: for the window, the command line and tests. No Qt."""
