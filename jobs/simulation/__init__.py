"""One simulation on one process or many, and what is drawn of it."""
