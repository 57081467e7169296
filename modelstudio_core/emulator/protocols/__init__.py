"""The two protocols: requests read, answers and errors written."""
