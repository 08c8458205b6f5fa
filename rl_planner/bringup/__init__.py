"""The one description of the system'\''s processes, and the supervisor that runs it."""
