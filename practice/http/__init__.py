"""What happens to every request before a route sees it: identity of the caller, faults, limits."""
