"""The report of an evaluation: its figures, and how they are shown.

figures        rates with their intervals, pass^k, quantiles
tool_figures   how each tool fared      clusters   failures that are alike
report         Report: every figure of a list of trials, and the file report.json; stored: its trials
text           the same on a terminal
page           the same as one HTML file that works offline, with every trial behind filters
"""
