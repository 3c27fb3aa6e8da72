package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Addresses;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Topology;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Tries whether anybody accepts a TCP connection where the published primary was. These addresses
 * are known from annotations alone, so nothing is said there, and nobody logs in.
 */
public final class Knock {
  private final ExecutorService executor;
  private final NodePools pools;
  private final Duration patience;

  /**
   * @param executor runs one connect each
   * @param patience TCP_CONNECT_TIMEOUT
   */
  public Knock(ExecutorService executor, NodePools pools, Duration patience) {
    this.executor = executor;
    this.pools = pools;
    this.patience = patience;
  }

  /**
   * The topology with the entries outside the node list at which nobody answers.
   *
   * @param deadline of the cycle's questions; a short one where too little is left of it
   */
  public Topology at(Topology topology, LastPublished published, Deadline deadline) {
    Deadline end = pools.atLeastShort(deadline).within(patience);
    Set<String> unanswered = ConcurrentHashMap.newKeySet();
    List<Callable<Void>> knocks = new ArrayList<>();
    for (String entry : topology.unlistedEntries(published)) {
      knocks.add(
          () -> {
            if (isUnanswered(entry, end)) {
              unanswered.add(entry);
            }
            return null;
          });
    }
    try {
      // The connects themselves end by then; this only waits for their threads.
      executor.invokeAll(knocks, end.remainingMillis() + 1000L, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while the published primary was looked for", e);
    }
    return topology.withUnanswered(unanswered);
  }

  /** Only what the network says counts: a fault of ours is no sign that nobody is there. */
  static boolean isUnanswered(String entry, Deadline deadline) {
    InetSocketAddress address = address(entry);
    if (address == null || deadline.isOver()) {
      return false;
    }
    try (Socket socket = new Socket()) {
      socket.connect(address, deadline.remainingMillis());
      return false;
    } catch (ConnectException | NoRouteToHostException | SocketTimeoutException e) {
      return true;
    } catch (SocketException e) {
      return String.valueOf(e.getMessage()).contains("Network is unreachable");
    } catch (IOException e) {
      return false;
    }
  }

  /** Null when it is no {@code ip:port}. */
  private static InetSocketAddress address(String entry) {
    try {
      int port = Integer.parseInt(entry.substring(entry.lastIndexOf(':') + 1));
      return new InetSocketAddress(Addresses.parse(Addresses.withoutPort(entry)), port);
    } catch (IllegalArgumentException | StringIndexOutOfBoundsException e) {
      return null;
    }
  }
}
