"""Where the pixels of photos and orthophotos lie on the ground, how well that is known, and what they can serve."""
