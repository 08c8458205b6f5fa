"""A node with a life cycle: others may drive it (Nav2's lifecycle manager), or it starts itself."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from rl_planner.ros.process import RunnableNode

SUCCESS = TransitionCallbackReturn.SUCCESS


class ManagedNode(LifecycleNode, RunnableNode):
    """A lifecycle node that says why a transition failed, and survives it.

    A subclass overrides `configure`, `activate`, `deactivate` and `release`. All of them run
    between two messages, never beside one.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._refusal: Exception | None = None
        self._is_starting = False
        # rclpy lets a request for a transition that is not possible now end the process.
        service = self._service_change_state
        service.callback = self._refusing_the_impossible(service.callback)

    # What a subclass does

    def configure(self) -> None:
        """Load, check and allocate; a ValueError or OSError refuses it, and is said in one line."""

    def activate(self) -> None:
        """Begin; managed publishers publish from now on."""

    def deactivate(self) -> None:
        """End; managed publishers still publish. It may be called twice, and half-configured."""

    def release(self) -> None:
        """Give back what `configure` allocated, or the part of it that it came to."""

    # How it is driven

    def state(self) -> str:
        """unconfigured, inactive, active or finalized; between them what it is doing."""
        return str(self._state_machine.current_state[1])

    def start(self) -> None:
        """Configure and activate.

        Raises:
            ValueError, OSError: what `configure` raised.
            RuntimeError: it failed otherwise; the log tells how.
        """
        self._is_starting = True
        result = self.trigger_configure()
        self._is_starting = False
        if self._refusal is not None:
            raise self._refusal
        if result != SUCCESS or self.trigger_activate() != SUCCESS:
            raise RuntimeError(f'{self.get_name()} could not be started')

    def close(self) -> None:
        if self.state() != 'finalized':
            self.trigger_shutdown()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._refusal = None
        try:
            self.configure()
        except (ValueError, OSError) as error:
            self._refusal = error
            self.release()
            if not self._is_starting:  # else whoever starts it tells
                self.get_logger().error(f'not configured: {str(error).strip().splitlines()[0]}')
            return TransitionCallbackReturn.FAILURE
        except Exception:
            return self._failed('configure')
        return SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        super().on_activate(state)
        return self._do('activate', self.activate)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        result = self._do('deactivate', self.deactivate)
        super().on_deactivate(state)
        return result

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._do('cleanup', self.release)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._do('shutdown', self.deactivate, self.release)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """A transition raised: end as well as can be, and be unconfigured."""
        self._do('deactivate', self.deactivate)
        return self._do('cleanup', self.release)

    def _do(self, name: str, *parts: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            for part in parts:
                part()
        except Exception:
            return self._failed(name)
        return SUCCESS

    def _failed(self, name: str) -> TransitionCallbackReturn:
        """Tell of an exception that rclpy would pass over."""
        self.get_logger().error(f'{name} failed: {traceback.format_exc()}')
        return TransitionCallbackReturn.ERROR

    def _refusing_the_impossible(self, change: Callable[[Any, Any], Any]) -> Callable[..., Any]:
        def change_state(request: Any, response: Any) -> Any:
            try:
                return change(request, response)
            except RuntimeError as error:  # RCLError
                self.get_logger().error(f'transition refused while {self.state()}: {error}')
                response.success = False
                return response

        return change_state
