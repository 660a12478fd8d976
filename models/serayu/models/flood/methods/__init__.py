"""Forecasting methods: each learns from a table of situations what the level will do."""
