"""The agent's tools: what is told to the model about them, and what comes of a call."""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

RunTool = Callable[[str, Any], Any]


class Tools:
    """Functions of the SDK (`@beta_tool`, with their own `call`), or the API's definitions, which `run_tool` runs."""

    def __init__(self, tools: Iterable[Any], run_tool: RunTool | None) -> None:
        self._all = list(tools)
        self._functions = {tool.name: tool.call for tool in self._all if callable(getattr(tool, "call", None))}
        self._run_tool = run_tool

    def told(self) -> list[Any]:
        """As the request has them."""
        return [tool.to_dict() if callable(getattr(tool, "to_dict", None)) else tool for tool in self._all]

    def can_run(self, calls: list[Any]) -> bool:
        """Whether each of the calls has something that answers it."""
        return self._run_tool is not None or all(call.name in self._functions for call in calls)

    def result(self, call: Any) -> dict[str, Any]:
        """What the tool returned, for the model; an exception is told to it as an error."""
        try:
            returned = self._run(call)
        except Exception as error:  # noqa: BLE001 -- the model is told, as the SDK's own runner does
            return _result(call, repr(error), is_error=True)
        if inspect.isawaitable(returned):
            raise TypeError(f"The tool {call.name} is a coroutine: use run_agent_async.")
        return _result(call, returned)

    async def result_async(self, call: Any) -> dict[str, Any]:
        """As `result`; the tool may be a coroutine."""
        try:
            returned = self._run(call)
            return _result(call, await returned if inspect.isawaitable(returned) else returned)
        except Exception as error:  # noqa: BLE001 -- as above
            return _result(call, repr(error), is_error=True)

    def _run(self, call: Any) -> Any:
        function = self._functions.get(call.name)
        if function is not None:
            return function(call.input)
        if self._run_tool is None:
            raise LookupError(f"There is no tool {call.name}.")
        return self._run_tool(call.name, call.input)


def _result(call: Any, returned: Any, *, is_error: bool = False) -> dict[str, Any]:
    content = returned if isinstance(returned, str | list) else str(returned)
    result = {"type": "tool_result", "tool_use_id": call.id, "content": content}
    return {**result, "is_error": True} if is_error else result
