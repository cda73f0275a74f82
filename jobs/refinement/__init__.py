"""Networks and physics together: a network's map refined by the exact gradient, and both judged."""
