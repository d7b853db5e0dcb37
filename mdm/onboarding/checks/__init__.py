"""The checks: each looks at a subject under a rule set and says what it saw, passes included."""
