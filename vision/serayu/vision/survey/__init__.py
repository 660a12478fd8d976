"""From photos or an orthophoto to findings on the road: one unit after another, resumed, merged, placed, written."""
