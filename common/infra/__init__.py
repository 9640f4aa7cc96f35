"""The only I/O of the ground floor: where files live, private files, logging."""
