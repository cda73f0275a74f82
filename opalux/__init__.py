"""Opalux: light that crosses a medium, simulated and read backwards."""
