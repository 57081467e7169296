"""What runs beside a client: the standard library, its framework and nothing else."""
