"""Proofs: that a task can be solved as its file says, and that doing nothing does not solve it (`eval --check`).

proving              what was proved of each task, and what was not
bounds               whether that fits into the limits, with what goes wrong
gold, gold_calls     the run that a task asks for: its calls, its answers        pattern_text     texts that fit a pattern
"""
