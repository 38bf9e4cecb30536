"""What the API and the workers both speak: words, states, settings, queue, store and database."""
