"""Data sets of densities and signals: cards, parts, statistics."""
