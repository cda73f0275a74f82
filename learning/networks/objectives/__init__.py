"""What networks are trained to give."""
