"""Benchmarks: each figure beside a baseline that is measured in the same run.

`python3 run.py bench` runs them all and prints ratios. Nothing here fails on time.
"""
