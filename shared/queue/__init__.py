"""The queue: rows are the truth, a message is only a doorbell."""
