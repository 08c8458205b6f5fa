"""The one error of this room."""


class GazeboError(RuntimeError):
    """Gazebo is not there, does not answer or has died; says which, in one line."""
