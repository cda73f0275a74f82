"""Finite-volume splitting schemes: one scheme a file, its kernels beside it."""
