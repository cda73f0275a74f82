"""The demo: from a density map to its reconstruction in minutes."""
