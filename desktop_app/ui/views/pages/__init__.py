"""The pages of the rail, one module each."""
