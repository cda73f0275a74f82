"""Iterative Label Spreading, and its comparison with other clusterers."""
