"""The parts a runner starts on its own machine. Needs the extras `api`, `worker` and the broker's wheel."""
