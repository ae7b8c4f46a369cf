"""The work in the background: schedules, sweeps, delivery; safe with any number of copies."""
