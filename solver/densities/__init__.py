"""Random density maps, one family per file; `catalogue` lists them."""
