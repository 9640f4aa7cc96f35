"""The operator's side: the core process, its local API and clients, and the window."""
