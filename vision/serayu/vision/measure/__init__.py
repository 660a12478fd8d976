"""Sizes and severity of what was found in a picture, with their errors."""
