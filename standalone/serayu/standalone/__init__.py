"""Serayu component."""
