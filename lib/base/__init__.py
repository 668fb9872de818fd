"""What everything stands on: running programs, output, errors, settings, files, locks, triggers."""
