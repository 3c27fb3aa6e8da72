package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Addresses;
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
 * Checks whether a server accepts TCP connections at the addresses of the published primary that
 * are not in the node list. Only annotations name these addresses, so the check sends nothing and
 * does not log in.
 */
public final class TcpCheck {
  private final ExecutorService executor;
  private final NodePools pools;
  private final Duration timeout;

  /**
   * @param executor runs each connection attempt
   * @param timeout the time limit of an attempt, TCP_CONNECT_TIMEOUT
   */
  public TcpCheck(ExecutorService executor, NodePools pools, Duration timeout) {
    this.executor = executor;
    this.pools = pools;
    this.timeout = timeout;
  }

  /**
   * Marks the entries that do not accept a TCP connection.
   *
   * @param entries {@code ip:port} outside the node list
   * @param deadline of the probes of the cycle; if too little time is left, a short one applies
   */
  public Topology markUnanswered(Topology topology, List<String> entries, Deadline deadline) {
    Deadline end = pools.atLeastShort(deadline).within(timeout);
    Set<String> unanswered = ConcurrentHashMap.newKeySet();
    List<Callable<Void>> checks = new ArrayList<>();
    for (String entry : entries) {
      checks.add(
          () -> {
            if (isUnanswered(entry, end)) {
              unanswered.add(entry);
            }
            return null;
          });
    }
    try {
      // The attempts themselves end by the deadline. The extra second is for their threads.
      executor.invokeAll(checks, end.remainingMillis() + 1000L, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(
          "interrupted during the TCP check of entries outside PG_NODES", e);
    }
    return topology.withUnanswered(unanswered);
  }

  /** Whether the network shows that no server is there. An error of this machine proves nothing. */
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

  /** Returns null if the entry is not an {@code ip:port}. */
  private static InetSocketAddress address(String entry) {
    try {
      int port = Integer.parseInt(entry.substring(entry.lastIndexOf(':') + 1));
      return new InetSocketAddress(Addresses.parse(Addresses.withoutPort(entry)), port);
    } catch (IllegalArgumentException | StringIndexOutOfBoundsException e) {
      return null;
    }
  }
}
