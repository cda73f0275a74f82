"""Where tasks and jobs run: processes, dask workers, Slurm."""
