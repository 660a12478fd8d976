"""Flood forecasts, the decision to warn, and the score of both."""
