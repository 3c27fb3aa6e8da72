package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Addresses;
import io.github.pgendpoints.topology.Published;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

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
  public Topology at(Topology topology, Published published, Deadline deadline) {
    Deadline end = pools.atLeastShort(deadline).within(patience);
    Map<String, Future<Boolean>> knocks = new LinkedHashMap<>();
    for (String entry : topology.unlistedEntries(published)) {
      knocks.put(entry, executor.submit(() -> isUnanswered(entry, end)));
    }
    List<String> unanswered = new ArrayList<>();
    knocks.forEach(
        (entry, knock) -> {
          if (result(knock, end)) {
            unanswered.add(entry);
          }
        });
    return topology.withUnanswered(unanswered);
  }

  private static boolean result(Future<Boolean> knock, Deadline end) {
    try {
      // The connect itself ends by then; this only waits for its thread.
      return knock.get(end.remainingMillis() + 1000L, TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      knock.cancel(true);
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while the published primary was looked for", e);
    }
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
    int colon = entry.lastIndexOf(':');
    try {
      String host = entry.substring(0, colon).replaceAll("^\\[|]$", "");
      int port = Integer.parseInt(entry.substring(colon + 1));
      return new InetSocketAddress(Addresses.parse(host), port);
    } catch (IllegalArgumentException | StringIndexOutOfBoundsException e) {
      return null;
    }
  }
}
