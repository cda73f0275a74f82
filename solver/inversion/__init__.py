"""Inversion by physics alone: the density whose simulated signals explain the measured ones."""
