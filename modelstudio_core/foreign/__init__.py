"""Every touch of another library's private parts."""
