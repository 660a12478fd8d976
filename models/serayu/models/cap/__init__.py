"""The Common Alerting Protocol: reading others' alerts, judging any, writing ours, feeds, and BMKG as a second voice.

Everything read here was written by others and is taken as hostile: see `serayu.models.cap.safe`.
"""
