"""Trained checkpoints as files that the runtimes read."""
