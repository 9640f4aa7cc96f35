"""The campaign: real processes, real faults, and a judge who believes the platform alone.

`python3 run.py campaign` runs it at length, `test_campaign.py` in short. What it may break is in
`schedule.py`, what it must find whole in `judge.py`.
"""
