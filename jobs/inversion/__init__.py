"""From signals to densities, and how good they are."""
