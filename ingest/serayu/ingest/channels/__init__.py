"""Ways by which a bulletin reaches a recipient, each behind one method."""
