"""The pipeline of Slurm jobs and how far it is."""
