"""Claims photos, analyses them, saves what was found."""
