package io.github.pgendpoints.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * The dearest kind of dead node: on every loopback address it wants a password, and then says
 * nothing more.
 */
final class Silent implements AutoCloseable {
  /** AuthenticationSASL, with SCRAM-SHA-256. */
  private static final byte[] WANTS_PASSWORD =
      "R\0\0\0\u0017\0\0\0\nSCRAM-SHA-256\0\0".getBytes(StandardCharsets.ISO_8859_1);

  private final ServerSocket listener;
  private final List<Socket> clients = new CopyOnWriteArrayList<>();

  Silent() throws IOException {
    listener = new ServerSocket(0, 1000, InetAddress.getByName("0.0.0.0"));
    Thread thread = new Thread(this::accept, "silent node");
    thread.setDaemon(true);
    thread.start();
  }

  int port() {
    return listener.getLocalPort();
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket client = listener.accept();
        clients.add(client);
        client.getOutputStream().write(WANTS_PASSWORD);
      } catch (IOException e) {
        // That client has gone again, or close() was called.
      }
    }
  }

  @Override
  public void close() throws IOException {
    listener.close();
    for (Socket client : clients) {
      client.close();
    }
  }
}
