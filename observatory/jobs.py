"""What every background job is."""

from typing import Any

from celery import Task

from conversations.models.isolation import unrestricted


class Job(Task):  # type: ignore[type-arg] # its stubs take parameters, it does not
    """Works for all workspaces, also where it is run at once by a page of one."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Do it."""
        with unrestricted():
            return self.run(*args, **kwargs)
