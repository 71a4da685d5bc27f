"""Checks: what a task expects, held against what a run left behind. Pure, but for a rubric that a model judges.

record, world_record     what a run left behind, and what a check says of it
judge                    every check of a task        call_checks, state_checks     those of calls, of the world
matching, answers        one value against what is wanted        arguments, assignment     calls against calls
rubric                   what a model judges        scoring     gates, weights, the score
"""
