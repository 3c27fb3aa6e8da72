package io.github.pgendpoints.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A port on every loopback address that does not respond, in one of several ways. */
final class DeadNodes implements AutoCloseable {
  /** AuthenticationSASL, with SCRAM-SHA-256. */
  private static final byte[] WANTS_PASSWORD =
      "R\0\0\0\u0017\0\0\0\nSCRAM-SHA-256\0\0".getBytes(StandardCharsets.ISO_8859_1);

  private static final int CONNECT_MILLIS = 200;

  private final ServerSocket listener;
  private final List<Socket> clients = new CopyOnWriteArrayList<>();

  /** The way in which a node does not respond. */
  enum Kind {
    /** No response to a SYN, because the backlog of the listener is full. */
    BLACK_HOLES("that drop every packet") {
      @Override
      DeadNodes open() throws IOException {
        DeadNodes nodes = new DeadNodes(1);
        nodes.fill();
        return nodes;
      }
    },
    /** The most expensive kind: a server that requests a password and then sends nothing. */
    SILENT("that fall silent in the login") {
      @Override
      DeadNodes open() throws IOException {
        DeadNodes nodes = new DeadNodes(1000);
        nodes.serve();
        return nodes;
      }
    };

    private final String words;

    Kind(String words) {
      this.words = words;
    }

    String words() {
      return words;
    }

    abstract DeadNodes open() throws IOException;
  }

  private DeadNodes(int backlog) throws IOException {
    listener = new ServerSocket(0, backlog, InetAddress.getByName("0.0.0.0"));
  }

  int port() {
    return listener.getLocalPort();
  }

  private void fill() throws IOException {
    while (true) {
      Socket client = new Socket();
      clients.add(client);
      try {
        client.connect(new InetSocketAddress("127.0.0.1", port()), CONNECT_MILLIS);
      } catch (IOException e) {
        return;
      }
    }
  }

  private void serve() {
    Thread thread = new Thread(this::accept, "silent node");
    thread.setDaemon(true);
    thread.start();
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket client = listener.accept();
        clients.add(client);
        client.getOutputStream().write(WANTS_PASSWORD);
      } catch (IOException e) {
        // The client has closed the connection, or close() was called.
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
