"""The read side: what the API shows of jobs and photos. Nothing here writes."""
