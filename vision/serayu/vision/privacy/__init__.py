"""Who can be known in a picture is made unknowable before the picture is kept."""
