"""What became of defects between two surveys of the same roads."""
