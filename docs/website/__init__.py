"""What the documentation site is made of besides docs/: pages that are generated."""
