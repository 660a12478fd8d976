"""What the system knows and decides; never imports a program."""
