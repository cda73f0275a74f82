"""Forward model: the 2D grey P1 radiative-transfer equations coupled to matter temperature."""
