"""The subcommands of ``narrows``, one file each; ``narrows iris`` has a folder of its own."""
