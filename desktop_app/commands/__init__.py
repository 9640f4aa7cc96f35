"""The nouns of the command line. Each one is a client of the core, like the window."""
