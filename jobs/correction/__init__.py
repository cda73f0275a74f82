"""Training networks that correct the maps of others, with the solver between them."""
