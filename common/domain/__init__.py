"""Values, states and their legal transitions. Pure: nothing here reads a clock or a file."""
