"""Inverse problems and data analysis: data sets, networks, training, silicon quantum dots."""
