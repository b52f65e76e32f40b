"""The Django project: settings, URLs, background jobs and the commands' entry point."""
