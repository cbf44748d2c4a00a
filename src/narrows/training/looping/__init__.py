"""What a compiled program does: steps, loops, stopping, random numbers."""
