"""What tables and lists show: rows, columns and cells. QtCore only; no widget, no network."""
