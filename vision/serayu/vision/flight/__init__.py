"""Renders drone flights over a road whose truth is known: photos, what lies on the ground, and labels."""
