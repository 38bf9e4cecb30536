"""What is done with the service as a whole: keys, erasing, looking after its parts."""
