"""Landslide risk of slope units and of the roads below them: rain, slope, soil, drone findings, each rule explained."""
