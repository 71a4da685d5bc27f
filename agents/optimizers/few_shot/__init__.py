"""Optimizers that choose examples to show: labelled ones, runs of a teacher, random sets of them, the nearest."""
