"""Who owns which cells: one process, or many joined by PETSc."""
