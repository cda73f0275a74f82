"""Files of the published program."""
