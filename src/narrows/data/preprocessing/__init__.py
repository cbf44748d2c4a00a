"""From mixed tables to numbers, and back."""
