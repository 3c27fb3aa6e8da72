package io.github.pgendpoints.postgres;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What an idle connection tells; the rest of the socket is tried by the tests of the probes. */
class DeadlineSocketTest {
  private ServerSocket listener;
  private DeadlineSocket socket;
  private Socket server;

  @BeforeEach
  void connect() throws IOException {
    listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    socket =
        new DeadlineSocket(
            Deadline.in(Duration.ofSeconds(5)), Deadline.in(Duration.ofSeconds(10)), () -> null);
    socket.connect(listener.getLocalSocketAddress());
    server = listener.accept();
  }

  @AfterEach
  void close() throws IOException {
    socket.close();
    server.close();
    listener.close();
  }

  @Test
  void isWellWhileNobodySaysAnything() throws IOException {
    assertFalse(socket.hasBroken());
    assertFalse(socket.hasBroken());

    say("hello");
    assertArrayEquals("hello".getBytes(StandardCharsets.US_ASCII), read(5));
    assertFalse(socket.hasBroken());
  }

  @Test
  void tellsOnceThatTheOtherSideHungUp() throws IOException {
    server.close();
    await().until(socket::hasBroken);
    assertFalse(socket.hasBroken());
    assertEquals(-1, socket.getInputStream().read());
  }

  @Test
  void tellsOnceThatTheOtherSideReset() throws IOException {
    server.setSoLinger(true, 0);
    server.close();
    await().until(socket::hasBroken);
    assertFalse(socket.hasBroken());
  }

  @Test
  void keepsWhatWasSaidForWhoeverReads() throws IOException {
    say("bye");
    await().until(socket::hasBroken);
    assertFalse(socket.hasBroken());

    assertEquals(3, socket.getInputStream().available());
    assertEquals('b', socket.getInputStream().read());
    assertArrayEquals("ye".getBytes(StandardCharsets.US_ASCII), read(2));
  }

  @Test
  void tellsAgainWhatHappensAfterTheNextUse() throws IOException {
    say("a notice");
    await().until(socket::hasBroken);
    socket.limit(Deadline.in(Duration.ofSeconds(10)));
    read(8);
    assertFalse(socket.hasBroken());

    server.close();
    await().until(socket::hasBroken);
    assertTrue(socket.isConnected());
  }

  private void say(String text) throws IOException {
    server.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
  }

  private byte[] read(int length) throws IOException {
    return socket.getInputStream().readNBytes(length);
  }
}
