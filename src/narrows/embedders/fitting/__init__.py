"""What a fit does: how long, from where, in lanes of one program or one after another."""
