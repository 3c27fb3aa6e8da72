package io.github.pgendpoints.support;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import javax.net.ServerSocketFactory;

/** An HTTP proxy on 127.0.0.1 that supports only CONNECT; it keeps the heads of the requests. */
public final class ForwardProxy implements AutoCloseable {
  private final ServerSocket listener;
  private final String refusal;
  private final boolean hangs;
  private final List<String> requests = new CopyOnWriteArrayList<>();
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final ExecutorService threads =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "forward-proxy");
            thread.setDaemon(true);
            return thread;
          });

  private ForwardProxy(ServerSocketFactory sockets, String refusal, boolean hangs) {
    this.refusal = refusal;
    this.hangs = hangs;
    try {
      listener = sockets.createServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    threads.execute(this::accept);
  }

  /** Starts a proxy that connects clients to every host. */
  public static ForwardProxy start() {
    return start(ServerSocketFactory.getDefault());
  }

  /** Starts a proxy that connects clients to every host, on sockets such as those of TLS. */
  public static ForwardProxy start(ServerSocketFactory sockets) {
    return new ForwardProxy(sockets, null, false);
  }

  /**
   * Starts a proxy that refuses every host.
   *
   * @param status the response status, such as {@code 407 Proxy Authentication Required}
   */
  public static ForwardProxy refusing(String status) {
    return new ForwardProxy(ServerSocketFactory.getDefault(), status, false);
  }

  /** Starts a proxy that accepts connections and never responds. */
  public static ForwardProxy hanging() {
    return new ForwardProxy(ServerSocketFactory.getDefault(), null, true);
  }

  public int port() {
    return listener.getLocalPort();
  }

  /** Returns the heads of all requests so far. */
  public List<String> requests() {
    return List.copyOf(requests);
  }

  @Override
  public void close() {
    closeQuietly(listener);
    open.forEach(ForwardProxy::closeQuietly);
    threads.shutdownNow();
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        take(listener.accept());
      } catch (IOException e) {
        // Closed.
      }
    }
  }

  private void take(Socket client) {
    open.add(client);
    try {
      threads.execute(() -> serve(client));
    } catch (RejectedExecutionException e) {
      // This proxy closed after it had accepted the client.
      closeQuietly(client);
    }
  }

  private void serve(Socket client) {
    try (client) {
      String head = readHead(client.getInputStream());
      requests.add(head);
      if (hangs) {
        client.getInputStream().read();
        return;
      }
      if (refusal != null) {
        answer(client, refusal + "\r\nContent-Length: 0");
        return;
      }
      String[] target = head.split(" ")[1].split(":");
      try (Socket server = new Socket(target[0], Integer.parseInt(target[1]))) {
        open.add(server);
        answer(client, "200 Connection established");
        threads.execute(() -> copy(server, client));
        copy(client, server);
      }
    } catch (IOException | RejectedExecutionException e) {
      // The client closed the connection, or this proxy closed.
    } finally {
      open.remove(client);
    }
  }

  private static void answer(Socket client, String status) throws IOException {
    client
        .getOutputStream()
        .write(("HTTP/1.1 " + status + "\r\n\r\n").getBytes(StandardCharsets.ISO_8859_1));
    client.getOutputStream().flush();
  }

  private static void copy(Socket from, Socket to) {
    try {
      from.getInputStream().transferTo(to.getOutputStream());
    } catch (IOException e) {
      // One side has closed its connection.
    } finally {
      closeQuietly(to);
    }
  }

  private static String readHead(InputStream in) throws IOException {
    ByteArrayOutputStream head = new ByteArrayOutputStream();
    for (int next = in.read(); next >= 0; next = in.read()) {
      head.write(next);
      if (next == '\n' && head.toString(StandardCharsets.ISO_8859_1).endsWith("\r\n\r\n")) {
        return head.toString(StandardCharsets.ISO_8859_1);
      }
    }
    throw new IOException("the client left");
  }

  private static void closeQuietly(Closeable closeable) {
    try {
      closeable.close();
    } catch (IOException e) {
      // It is closed anyway.
    }
  }
}
