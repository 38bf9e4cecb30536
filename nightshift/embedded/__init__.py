"""The parts a runner starts on its own machine."""
