"""Transport by discrete ordinates: the reference that P1 is compared with."""
