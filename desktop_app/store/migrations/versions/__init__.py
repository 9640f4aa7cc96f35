"""The migrations of the store, from its first table on. Forward only."""
