"""The parameters of a request, declared once, and how they become a question."""
