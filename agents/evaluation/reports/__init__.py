"""The report of an evaluation: its figures, and how they are shown.

figures        rates with their intervals, pass^k, quantiles
report         Report: every figure of a list of trials, and the file report.json
text           the same on a terminal
"""
