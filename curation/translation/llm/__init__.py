"""Translation by an LLM: question and solution of a problem in one request, checked, and asked for once more."""
