"""The processes of the service: how each is started, which are alive, and what they add up."""
