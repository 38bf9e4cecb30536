"""Photo bytes to an upright RGB array, whatever the format and whatever is wrong with the file."""
