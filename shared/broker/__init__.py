"""The broker: one list of rings, and the doorbell that puts them there."""
