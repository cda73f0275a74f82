"""The dots: their structures, their gap, and the table of them."""
