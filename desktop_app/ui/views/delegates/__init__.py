"""Painting of cells, cards and rows."""
