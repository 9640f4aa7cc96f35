"""Planted bugs: parts that break a promise on purpose, put in the place of shipped ones.

Each is composed by the start scripts when the campaign names it, and each must be caught by its
case in `test_planted.py`. A judge that has never seen a broken promise proves nothing.
"""
