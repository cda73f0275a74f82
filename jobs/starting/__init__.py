"""``opalux invert``: the density behind measured signals, by physics alone."""
