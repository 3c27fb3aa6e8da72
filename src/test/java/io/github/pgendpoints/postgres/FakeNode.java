package io.github.pgendpoints.postgres;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A plain socket that does what PostgreSQL never does. It listens on one port, at every address of
 * 127.0.0.0/8, and does not support TLS.
 */
final class FakeNode implements AutoCloseable {
  /** What the node exchanges with a client after the client's startup packet. */
  @FunctionalInterface
  interface Conversation {
    void hold(DataInputStream in, DataOutputStream out) throws Exception;
  }

  private final ServerSocket listener;
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();

  private FakeNode(int backlog) {
    try {
      listener = new ServerSocket(0, backlog, InetAddress.getByName("0.0.0.0"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Returns a node that accepts connections and has a conversation with each client. */
  static FakeNode talking(Conversation conversation) {
    FakeNode node = new FakeNode(200);
    daemon(
        () -> {
          while (true) {
            Socket socket = node.listener.accept();
            node.sockets.add(socket);
            daemon(
                () -> {
                  try (socket) {
                    DataInputStream in = new DataInputStream(socket.getInputStream());
                    in.readNBytes(in.readInt() - 4);
                    conversation.hold(in, new DataOutputStream(socket.getOutputStream()));
                  }
                });
          }
        });
    return node;
  }

  /** Returns a node that accepts no connection: its queue is full, so the kernel drops packets. */
  static FakeNode blackHole() {
    FakeNode node = new FakeNode(1);
    try {
      for (int i = 0; i < 20; i++) {
        Socket socket = new Socket();
        node.sockets.add(socket);
        socket.connect(new InetSocketAddress("127.0.0.1", node.port()), 300);
      }
      throw new IllegalStateException("the queue of connections does not fill up");
    } catch (SocketTimeoutException e) {
      return node;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  int port() {
    return listener.getLocalPort();
  }

  @Override
  public void close() {
    try {
      listener.close();
      for (Socket socket : sockets) {
        socket.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private interface Task {
    void run() throws Exception;
  }

  private static void daemon(Task task) {
    Thread thread =
        new Thread(
            () -> {
              try {
                task.run();
              } catch (Exception e) {
                // The client or close() has closed the socket.
              }
            });
    thread.setDaemon(true);
    thread.start();
  }

  // ---- messages

  /** Sends nothing, and discards all input until the client closes the connection. */
  static void beSilent(DataInputStream in) throws IOException {
    in.skip(Long.MAX_VALUE);
    while (in.read() >= 0) {
      in.skip(in.available());
    }
  }

  /** Sends one byte every 20 ms, without end. */
  static void drip(DataOutputStream out) throws Exception {
    while (true) {
      out.write('x');
      out.flush();
      Thread.sleep(20);
    }
  }

  /** Requests a password by SCRAM. */
  static void authenticationSasl(DataOutputStream out) throws IOException {
    byte[] mechanisms = "SCRAM-SHA-256\0\0".getBytes(StandardCharsets.US_ASCII);
    message(out, 'R', mechanisms.length + 4);
    out.writeInt(10);
    out.write(mechanisms);
    out.flush();
  }

  /** Accepts the login of any client without a password. */
  static void welcome(DataOutputStream out) throws IOException {
    message(out, 'R', 4);
    out.writeInt(0);
    parameter(out, "server_version", "18.0");
    parameter(out, "client_encoding", "UTF8");
    parameter(out, "DateStyle", "ISO, MDY");
    parameter(out, "integer_datetimes", "on");
    parameter(out, "standard_conforming_strings", "on");
    message(out, 'K', 8);
    out.writeLong(7);
    message(out, 'Z', 1);
    out.write('I');
    out.flush();
  }

  /** Answers a query with one row of one column, a boolean that is true. */
  static void answerTrue(DataOutputStream out) throws IOException {
    message(out, '1', 0);
    message(out, '2', 0);
    byte[] name = "in_recovery\0".getBytes(StandardCharsets.US_ASCII);
    message(out, 'T', 2 + name.length + 18);
    out.writeShort(1);
    out.write(name);
    // No table and no column, then the type, size, modifier, and text format of a boolean.
    out.writeInt(0);
    out.writeShort(0);
    out.writeInt(16);
    out.writeShort(1);
    out.writeInt(-1);
    out.writeShort(0);
    message(out, 'D', 7);
    out.writeShort(1);
    out.writeInt(1);
    out.write('t');
    byte[] tag = "SELECT 1\0".getBytes(StandardCharsets.US_ASCII);
    message(out, 'C', tag.length);
    out.write(tag);
    message(out, 'Z', 1);
    out.write('I');
    out.flush();
  }

  private static void parameter(DataOutputStream out, String name, String value)
      throws IOException {
    byte[] bytes = (name + "\0" + value + "\0").getBytes(StandardCharsets.UTF_8);
    message(out, 'S', bytes.length);
    out.write(bytes);
  }

  /** Sends an ErrorResponse of severity FATAL. */
  static void error(DataOutputStream out, String state, byte[] text) throws IOException {
    byte[] head = ("SFATAL\0VFATAL\0C" + state + "\0M").getBytes(StandardCharsets.UTF_8);
    message(out, 'E', head.length + text.length + 2);
    out.write(head);
    out.write(text);
    out.writeShort(0);
    out.flush();
  }

  static void message(DataOutputStream out, char type, int length) throws IOException {
    out.write(type);
    out.writeInt(length + 4);
  }
}
