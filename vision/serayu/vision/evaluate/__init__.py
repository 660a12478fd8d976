"""How well weights find what labelled pictures show."""
