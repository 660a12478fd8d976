"""The drone's side of the demonstration: a rendered flight, its survey, and what that knows of the road."""
