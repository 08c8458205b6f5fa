"""Gazebo Classic's own transport: who publishes what is asked of the master, over TCP.

A subscriber tells the master its topic, hears of each publisher of it, and connects to that one,
which from then on sends the topic's messages over this connection. All that crosses a connection is
framed (`rl_planner.gazebo.frames`); what is not a topic's message is a Packet, a type with data.

There are no threads: `Loop.run_once` reads what has come, for any number of transports.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections.abc import Callable
from typing import Any

from google.protobuf.message import DecodeError

from rl_planner.gazebo.error import GazeboError
from rl_planner.gazebo.frames import FrameReader, frame
from rl_planner.gazebo.protos import Messages

LOCALHOST = '127.0.0.1'
SEND_TIMEOUT_SEC = 5.0  # a peer that takes nothing for so long is dead
RECEIVE_BYTES = 1 << 18
PUBLISHER_KNOWN = {'publisher_subscribe', 'publisher_advertise', 'publisher_update'}


class Loop:
    """Waits on all connections of all transports, and hands out what has come."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def add(self, connection: socket.socket, on_readable: Callable[[], None]) -> None:
        self._selector.register(connection, selectors.EVENT_READ, on_readable)

    def remove(self, connection: socket.socket) -> None:
        with contextlib.suppress(KeyError, ValueError):  # it has been removed, or closed
            self._selector.unregister(connection)

    def run_once(self, timeout_sec: float) -> None:
        """Handle what has come; wait for it, but no longer than `timeout_sec`."""
        for key, _ in self._selector.select(timeout_sec):
            key.data()

    def run_until(self, condition: Callable[[], Any], timeout_sec: float) -> bool:
        """Handle what comes until `condition` holds; whether it does within `timeout_sec`."""
        deadline = time.monotonic() + timeout_sec
        while not condition():
            left = deadline - time.monotonic()
            if left <= 0.0:
                return False
            self.run_once(left)
        return True

    def close(self) -> None:
        self._selector.close()


class _Connection:
    """A framed TCP connection, read by the loop; once it has ended, `is_open` is False."""

    def __init__(
        self, loop: Loop, connected: socket.socket, on_payload: Callable[[_Connection, bytes], None]
    ) -> None:
        self._loop, self._socket, self._on_payload = loop, connected, on_payload
        self._reader = FrameReader()
        self.is_open = True
        connected.settimeout(SEND_TIMEOUT_SEC)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        loop.add(connected, self._on_readable)

    @classmethod
    def to(
        cls, loop: Loop, address: tuple[str, int], on_payload: Callable[[_Connection, bytes], None]
    ) -> _Connection:
        return cls(loop, socket.create_connection(address, SEND_TIMEOUT_SEC), on_payload)

    def send(self, payload: bytes) -> None:
        """Send, unless the connection has ended."""
        if self.is_open:
            try:
                self._socket.sendall(frame(payload))
            except OSError:
                self.close()

    def close(self) -> None:
        if self.is_open:
            self.is_open = False
            self._loop.remove(self._socket)
            self._socket.close()

    def _on_readable(self) -> None:
        if not self.is_open:  # closed by what was handled just before
            return
        try:
            data = self._socket.recv(RECEIVE_BYTES, socket.MSG_DONTWAIT)
            if not data:
                self.close()
                return
            payloads = self._reader.feed(data)
        except BlockingIOError:
            return
        except (OSError, GazeboError):  # broken off, or no Gazebo
            self.close()
            return
        for payload in payloads:
            self._on_payload(self, payload)


class Publisher:
    """One topic that this process publishes."""

    def __init__(self, topic: str, latched: bool) -> None:
        self.topic, self._latched = topic, latched
        self._connections: list[_Connection] = []
        self._last: bytes | None = None

    @property
    def is_connected(self) -> bool:
        """Whether somebody has subscribed, and is still there."""
        return any(each.is_open for each in self._connections)

    def publish(self, message: Any) -> None:
        """Send `message` to whoever has subscribed."""
        data = message.SerializeToString()
        self._last = data if self._latched else None
        self._connections = [each for each in self._connections if each.is_open]
        for connection in self._connections:
            connection.send(data)

    def connect(self, connection: _Connection, latching: bool) -> None:
        """Take a subscriber; one that asks for it gets the last message, if that was kept."""
        self._connections.append(connection)
        if latching and self._last is not None:
            connection.send(self._last)

    def close(self) -> None:
        """Leave whoever has subscribed."""
        for connection in self._connections:
            connection.close()


class _Subscription:
    """One topic that this process receives, from any number of publishers."""

    def __init__(self, message: Any, on_data: Callable[[bytes], None]) -> None:
        self.message, self.on_data = message, on_data
        self.connections: dict[tuple[str, int], _Connection] = {}


class Transport:
    """This process among the publishers and subscribers of one Gazebo master."""

    def __init__(self, loop: Loop, messages: Messages, port: int, host: str = LOCALHOST) -> None:
        """Connect to the master at `host`:`port`.

        Raises:
            GazeboError: there is none.
        """
        self._loop, self._messages = loop, messages
        self._publishers: dict[str, Publisher] = {}
        self._subscriptions: dict[str, _Subscription] = {}
        self._incoming: list[_Connection] = []
        self.is_initialised = False
        self._listener = socket.create_server((LOCALHOST, 0))
        try:
            self._master = _Connection.to(loop, (host, port), self._on_master)
        except OSError as error:
            self._listener.close()
            raise GazeboError(f'no Gazebo master answers at {host}:{port}: {error}') from error
        loop.add(self._listener, self._on_accept)

    @property
    def is_open(self) -> bool:
        """Whether the master is still there."""
        return self._master.is_open

    def advertise(self, topic: str, type_name: str, latched: bool = False) -> Publisher:
        """Publish `topic` from now on; `latched` keeps the last message for late subscribers."""
        publisher = self._publishers[topic] = Publisher(topic, latched)
        self._ask('advertise', self._messages.Publish(**self._fields(topic, type_name)))
        return publisher

    def unadvertise(self, publisher: Publisher) -> None:
        """Publish a topic no more."""
        del self._publishers[publisher.topic]
        self._ask('unadvertise', self._messages.Publish(**self._fields(publisher.topic, '')))
        publisher.close()  # the other side keeps its own till then

    def subscribe(
        self, topic: str, type_name: str, on_data: Callable[[bytes], None], latching: bool = False
    ) -> None:
        """Have `on_data` called with the serialized messages of `topic`.

        Args:
            latching: also with the last one from before, if its publisher has kept it.
        """
        fields = self._fields(topic, type_name)
        message = self._messages.Subscribe(**fields, latching=latching)
        self._subscriptions[topic] = _Subscription(message, on_data)
        self._ask('subscribe', message)

    def unsubscribe(self, topic: str) -> None:
        """Hear `topic` no more."""
        subscription = self._subscriptions.pop(topic)
        for connection in subscription.connections.values():
            connection.close()
        self._ask('unsubscribe', subscription.message)

    def is_subscribed(self, topic: str) -> bool:
        """Whether a publisher of `topic` is connected."""
        connections = self._subscriptions[topic].connections.values()
        return any(each.is_open for each in connections)

    def close(self) -> None:
        """Leave: the master and the others notice."""
        self._loop.remove(self._listener)
        self._listener.close()
        outgoing = [
            connection
            for subscription in self._subscriptions.values()
            for connection in subscription.connections.values()
        ]
        for connection in (self._master, *self._incoming, *outgoing):
            connection.close()

    def _fields(self, topic: str, type_name: str) -> dict[str, Any]:
        host, port = self._listener.getsockname()
        return {
            'topic': topic,
            'msg_type': f'gazebo.msgs.{type_name}',
            'host': host,
            'port': port,
        }

    def _ask(self, kind: str, message: Any) -> None:
        self._master.send(self._packet(kind, message))

    def _packet(self, kind: str, message: Any) -> bytes:
        stamp = self._messages.Time(sec=0, nsec=0)
        data = message.SerializeToString()
        packet = self._messages.Packet(stamp=stamp, type=kind, serialized_data=data)
        return bytes(packet.SerializeToString())

    def _on_master(self, connection: _Connection, payload: bytes) -> None:
        packet = self._read(connection, self._messages.Packet, payload)
        if packet is None:
            return
        if packet.type == 'publishers_init':  # the last of what a master says by itself
            self.is_initialised = True
        elif packet.type in PUBLISHER_KNOWN:
            found = self._read(connection, self._messages.Publish, packet.serialized_data)
            if found is not None:
                self._connect(found)

    def _connect(self, found: Any) -> None:
        """Subscribe with a publisher, once."""
        address = (found.host, found.port)
        subscription = self._subscriptions.get(found.topic)
        if subscription is None or address == self._listener.getsockname():
            return
        known = subscription.connections.get(address)
        if known is not None and known.is_open:
            return
        on_data = subscription.on_data
        try:
            connection = _Connection.to(self._loop, address, lambda _, data: on_data(data))
        except OSError:
            return  # the master knows a publisher that has ended
        connection.send(self._packet('sub', subscription.message))
        subscription.connections[address] = connection

    def _on_accept(self) -> None:
        accepted, _ = self._listener.accept()
        self._incoming = [each for each in self._incoming if each.is_open]
        self._incoming.append(_Connection(self._loop, accepted, self._on_subscriber))

    def _on_subscriber(self, connection: _Connection, payload: bytes) -> None:
        packet = self._read(connection, self._messages.Packet, payload)
        if packet is None or packet.type != 'sub':
            return
        wish = self._read(connection, self._messages.Subscribe, packet.serialized_data)
        if wish is not None and wish.topic in self._publishers:
            self._publishers[wish.topic].connect(connection, wish.latching)

    @staticmethod
    def _read(connection: _Connection, kind: Any, data: bytes) -> Any:
        """A message; None, and the connection closed, where it is none."""
        try:
            return kind.FromString(data)
        except DecodeError:
            connection.close()
            return None
