"""Machines that drive the pure cores through faults, by Hypothesis, with a virtual clock."""
