"""Silicon quantum dots: structures, electronic gap, features, classes and models."""
