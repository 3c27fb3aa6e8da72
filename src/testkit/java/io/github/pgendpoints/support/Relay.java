package io.github.pgendpoints.support;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** An additional address for a server: forwards every byte in both directions. */
public final class Relay implements AutoCloseable {
  private final ServerSocket listener;
  private final InetSocketAddress server;

  /**
   * @param address to listen on, at the port of the server
   * @param server the server that responds
   */
  public Relay(String address, InetSocketAddress server) throws IOException {
    this.server = server;
    listener = new ServerSocket(server.getPort(), 50, InetAddress.getByName(address));
    inBackground(this::accept);
  }

  private void accept() throws IOException {
    while (true) {
      Socket client = listener.accept();
      Socket backend = new Socket();
      try {
        backend.connect(server);
        client.setTcpNoDelay(true);
        backend.setTcpNoDelay(true);
        inBackground(() -> pass(client, backend));
        inBackground(() -> pass(backend, client));
      } catch (IOException e) {
        client.close();
        backend.close();
      }
    }
  }

  private static void pass(Socket from, Socket to) throws IOException {
    try (from;
        to) {
      from.getInputStream().transferTo(to.getOutputStream());
    }
  }

  @Override
  public void close() throws IOException {
    listener.close();
  }

  private interface Task {
    void run() throws IOException;
  }

  private static void inBackground(Task task) {
    Thread thread =
        new Thread(
            () -> {
              try {
                task.run();
              } catch (IOException e) {
                // One side has closed its connection.
              }
            },
            "relay");
    thread.setDaemon(true);
    thread.start();
  }
}
