"""Optimizers that have texts written: instructions, guidance, descriptions of tools, rules."""
