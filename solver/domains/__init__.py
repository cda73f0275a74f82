"""Which process owns which cells: one owns all, or many are joined by PETSc."""
