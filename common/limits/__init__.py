"""Platform limits: one dated data file, and the rules that read it."""
