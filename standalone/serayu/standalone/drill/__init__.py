"""The warning side of the demonstration: who is told, a receiver that is killed and comes back, and what came of it."""
