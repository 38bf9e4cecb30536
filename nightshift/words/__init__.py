"""The words: how analyses, jobs, answers and errors are called. Nothing here touches the world."""
