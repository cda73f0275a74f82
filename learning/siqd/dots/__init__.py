"""The dots: structures, gaps, and the table that holds them."""
