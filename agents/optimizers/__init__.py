"""Optimizers: what makes a program better, and shows on held-out tasks that it did."""

from __future__ import annotations
