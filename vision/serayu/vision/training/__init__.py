"""Detectors trained and described from one file."""
