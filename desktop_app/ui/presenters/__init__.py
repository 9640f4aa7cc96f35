"""What pages do: state of a page, commands to the core, facts as signals. No widgets."""
