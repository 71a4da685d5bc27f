"""Trials: a task run once, and many of them side by side.

attempt, task_run              one trial, tried again where no model could be reached
conversation, simulated_user   its turns        worlds     its world
engine                         each task so many times, several at once
"""
