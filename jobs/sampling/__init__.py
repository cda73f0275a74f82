"""Campaigns: random densities, simulated and written as a data set."""
