"""Tables of a user: files, titles, units and cells, with every row checked."""
