"""Comparison with exact solutions and the page that shows it."""
