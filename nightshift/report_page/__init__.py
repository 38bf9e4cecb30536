"""The report: a page of a job's photos and what was found in them, opened from disk without a network."""
