"""From a network to compiled programs."""
