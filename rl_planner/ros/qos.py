"""Quality of service of our topics."""

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy, qos_profile_sensor_data

SENSOR = qos_profile_sensor_data
"""scan and odom, as subscribed: only the newest reading is of use, a late one is not resent."""

RELIABLE = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
"""Commands, goals, outcomes, and readings as published: few, and each matters."""

COMPLETE = QoSProfile(depth=1000, reliability=ReliabilityPolicy.RELIABLE)
"""Experience and logs: deep, so that nothing is lost while the reader does something longer."""

LATCHED = QoSProfile(
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
"""policy, episode: a late subscriber gets the newest."""

DELIVERY_SEC = 0.2
"""How long the last message of all is waited for to arrive, before its topic is given back."""
