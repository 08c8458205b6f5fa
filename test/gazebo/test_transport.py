"""Publishers and subscribers around a master that the test plays by hand."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rl_planner.gazebo.error import GazeboError
from rl_planner.gazebo.frames import FrameReader, frame
from rl_planner.gazebo.protos import Messages, load_messages
from rl_planner.gazebo.transport import Loop, Transport

PATIENCE_SEC = 30.0
TOPIC = '/gazebo/default/words'


class Peer:
    """The test's end of a connection."""

    def __init__(self, connected: socket.socket, messages: Messages) -> None:
        self.socket, self._messages = connected, messages
        connected.settimeout(PATIENCE_SEC)
        self._reader, self._payloads = FrameReader(), list[bytes]()

    def receive(self) -> bytes:
        while not self._payloads:
            data = self.socket.recv(1000)
            assert data, 'closed'
            self._payloads += self._reader.feed(data)
        return self._payloads.pop(0)

    def receive_packet(self, kind: str, message: Any) -> Any:
        packet = self._messages.Packet.FromString(self.receive())
        assert packet.type == kind
        return message.FromString(packet.serialized_data)

    def send_packet(self, kind: str, message: Any) -> None:
        stamp = self._messages.Time(sec=0, nsec=0)
        packet = self._messages.Packet(
            stamp=stamp, type=kind, serialized_data=message.SerializeToString()
        )
        self.socket.sendall(frame(packet.SerializeToString()))


class World:
    """A transport and its master."""

    def __init__(self, messages: Messages) -> None:
        self.messages, self.loop = messages, Loop()
        with socket.create_server(('127.0.0.1', 0)) as listener:
            self.transport = Transport(self.loop, messages, listener.getsockname()[1])
            self.master = Peer(listener.accept()[0], messages)

    def subscriber(self, latching: bool) -> Peer:
        """Subscribe with what the transport has advertised last."""
        host, port = self.transport._listener.getsockname()
        peer = Peer(socket.create_connection((host, port)), self.messages)
        wish = self.messages.Subscribe(
            topic=TOPIC, host=host, port=1, msg_type='gazebo.msgs.GzString', latching=latching
        )
        peer.send_packet('sub', wish)
        return peer


@pytest.fixture
def messages(proto_root: Path, tmp_path: Path) -> Messages:
    return load_messages(proto_root, tmp_path / 'cache')


@pytest.fixture
def world(messages: Messages) -> Iterator[World]:
    world = World(messages)
    yield world
    world.transport.close()
    world.master.socket.close()
    world.loop.close()


def test_what_is_published_reaches_a_subscriber(world: World) -> None:
    publisher = world.transport.advertise(TOPIC, 'GzString')
    told = world.master.receive_packet('advertise', world.messages.Publish)
    assert (told.topic, told.msg_type) == (TOPIC, 'gazebo.msgs.GzString')
    assert (told.host, told.port) == world.transport._listener.getsockname()
    publisher.publish(world.messages.GzString(data='nobody hears'))
    peer = world.subscriber(latching=True)
    assert world.loop.run_until(lambda: publisher.is_connected, PATIENCE_SEC)
    publisher.publish(world.messages.GzString(data='hello'))
    assert peer.receive() == b'\x0a\x05hello'
    peer.socket.close()
    assert world.loop.run_until(lambda: not publisher.is_connected, PATIENCE_SEC)


def test_a_latched_topic_tells_its_last_message_to_who_asks(world: World) -> None:
    publisher = world.transport.advertise(TOPIC, 'GzString', latched=True)
    publisher.publish(world.messages.GzString(data='old'))
    publisher.publish(world.messages.GzString(data='last'))
    peer = world.subscriber(latching=True)
    assert world.loop.run_until(lambda: publisher.is_connected, PATIENCE_SEC)
    assert peer.receive() == b'\x0a\x04last'
    peer.socket.close()


def test_a_subscription_connects_once_to_each_publisher(world: World) -> None:
    heard: list[bytes] = []
    world.transport.subscribe(TOPIC, 'GzString', heard.append, latching=True)
    asked = world.master.receive_packet('subscribe', world.messages.Subscribe)
    assert (asked.topic, asked.latching) == (TOPIC, True)
    with socket.create_server(('127.0.0.1', 0)) as listener:
        host, port = listener.getsockname()
        known = world.messages.Publish(topic=TOPIC, msg_type='x', host=host, port=port)
        for kind in ('publisher_subscribe', 'publisher_advertise', 'publisher_add'):
            world.master.send_packet(kind, known)
        assert world.loop.run_until(lambda: world.transport.is_subscribed(TOPIC), PATIENCE_SEC)
        peer = Peer(listener.accept()[0], world.messages)
        assert peer.receive_packet('sub', world.messages.Subscribe) == asked
        peer.socket.sendall(frame(b'one') + frame(b'two'))
        assert world.loop.run_until(lambda: len(heard) == 2, PATIENCE_SEC)
        assert heard == [b'one', b'two']
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
        world.transport.unsubscribe(TOPIC)
        assert world.master.receive_packet('unsubscribe', world.messages.Subscribe) == asked
        assert peer.socket.recv(1) == b''
        peer.socket.close()


def test_a_publisher_that_has_ended_is_left_out(world: World) -> None:
    world.transport.subscribe(TOPIC, 'GzString', lambda data: None)
    with socket.create_server(('127.0.0.1', 0)) as listener:
        host, port = listener.getsockname()
    gone = world.messages.Publish(topic=TOPIC, msg_type='x', host=host, port=port)
    world.master.send_packet('publisher_subscribe', gone)
    world.master.send_packet('publishers_init', world.messages.Publishers())
    assert world.loop.run_until(lambda: world.transport.is_initialised, PATIENCE_SEC)
    assert not world.transport.is_subscribed(TOPIC)


@pytest.mark.parametrize('rubbish', [b'no header', frame(b'\xff\xff\xff')])
def test_rubbish_ends_a_connection(world: World, rubbish: bytes) -> None:
    world.master.socket.sendall(rubbish)
    assert world.loop.run_until(lambda: not world.transport.is_open, PATIENCE_SEC)
    world.transport.advertise(TOPIC, 'GzString')  # goes nowhere, and harms nobody


def test_a_master_that_dies_is_noticed(world: World) -> None:
    assert world.transport.is_open
    world.master.socket.close()
    assert world.loop.run_until(lambda: not world.transport.is_open, PATIENCE_SEC)


def test_no_master_is_an_error(messages: Messages) -> None:
    with socket.create_server(('127.0.0.1', 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(GazeboError, match=f'no Gazebo master answers at 127.0.0.1:{port}'):
        Transport(Loop(), messages, port)
