"""What a drone survey finds: one finding per real thing on the ground, and the condition of each road segment."""
