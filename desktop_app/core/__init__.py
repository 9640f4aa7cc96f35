"""The core: links to agents, dispatch of runs, what clients are told. Its own process, no Qt."""
