package io.github.pgendpoints.support.kubernetes;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ServerSocketFactory;

/**
 * The port that clients connect to. It forwards every byte to the server behind it, unless the test
 * has set a {@link RawFault}: an HTTP server cannot produce faults below the level of HTTP.
 */
final class Front implements AutoCloseable {

  private static final Pattern LENGTH = Pattern.compile("(?i)\r\ncontent-length: *(\\d+)");

  private final ServerSocket listener;
  private final InetSocketAddress backend;
  private final Faults faults;
  private final ExecutorService threads = Executors.newCachedThreadPool(Front::daemon);
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final Set<Socket> silenced = ConcurrentHashMap.newKeySet();

  /**
   * @param sockets the factory of the listener, which decides on TLS
   * @param port the port to listen on; 0 for any free one
   * @param backend the port of the server
   */
  Front(ServerSocketFactory sockets, InetAddress address, int port, int backend, Faults faults) {
    this.backend = new InetSocketAddress(address, backend);
    this.faults = faults;
    try {
      listener = sockets.createServerSocket();
      listener.setReuseAddress(true);
      listener.bind(new InetSocketAddress(address, port));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    threads.execute(this::accept);
  }

  int port() {
    return listener.getLocalPort();
  }

  /** Breaks the open connections; otherwise an idle one would escape a new fault. */
  void breakConnections() {
    open.forEach(Front::closeQuietly);
  }

  /** Stops all traffic on the open connections without closing them. */
  void silenceConnections() {
    silenced.addAll(open);
  }

  int connections() {
    return open.size();
  }

  @Override
  public void close() {
    closeQuietly(listener);
    breakConnections();
    threads.shutdownNow();
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        take(listener.accept());
      } catch (IOException e) {
        // Closed, or the client left before its connection was accepted.
      }
    }
  }

  private void take(Socket client) {
    open.add(client);
    try {
      threads.execute(() -> serve(client));
    } catch (RejectedExecutionException e) {
      // This front closed after it had accepted the client.
      closeQuietly(client);
    }
  }

  private void serve(Socket client) {
    try (client;
        Socket server = new Socket()) {
      String request = readRequest(client.getInputStream());
      RawFault fault = faults.takeRaw(request).orElse(null);
      if (fault != null) {
        fault.answer(client.getOutputStream());
        return;
      }
      server.connect(backend);
      threads.execute(() -> answer(server, client));
      if (faults.hasRaw()) {
        // One request per connection, so that the next request is checked as well.
        request = request.replaceFirst("\r\n", "\r\nConnection: close\r\n");
      }
      server.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      copy(client.getInputStream(), server.getOutputStream(), client);
    } catch (IOException | RejectedExecutionException e) {
      // The client left, or this front broke the connection or closed.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      open.remove(client);
      silenced.remove(client);
    }
  }

  private void answer(Socket server, Socket client) {
    try (server) {
      copy(server.getInputStream(), client.getOutputStream(), client);
    } catch (IOException e) {
      // As above.
    }
    if (!silenced.contains(client)) {
      closeQuietly(client);
    }
  }

  private void copy(InputStream from, OutputStream to, Socket client) throws IOException {
    byte[] block = new byte[1 << 14];
    for (int count = from.read(block); count >= 0; count = from.read(block)) {
      if (!silenced.contains(client)) {
        to.write(block, 0, count);
      }
    }
  }

  /** Reads the first request of a connection, head and body, with one char per byte. */
  private static String readRequest(InputStream in) throws IOException {
    ByteArrayOutputStream read = new ByteArrayOutputStream();
    String text = "";
    for (int next = in.read(); next >= 0; next = in.read()) {
      read.write(next);
      if (next == '\n') {
        text = read.toString(StandardCharsets.ISO_8859_1);
        if (text.endsWith("\r\n\r\n")) {
          Matcher length = LENGTH.matcher(text);
          byte[] body = in.readNBytes(length.find() ? Integer.parseInt(length.group(1)) : 0);
          return text + new String(body, StandardCharsets.ISO_8859_1);
        }
      }
    }
    throw new IOException("the client left after " + text.length() + " bytes");
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task, "front");
    thread.setDaemon(true);
    return thread;
  }

  private static void closeQuietly(Closeable closeable) {
    try {
      closeable.close();
    } catch (IOException e) {
      // It is closed anyway.
    }
  }
}
