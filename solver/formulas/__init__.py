"""Formulas that users write: parsed by a grammar of their own, run as compiled programs."""
