package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Addresses;
import io.github.pgendpoints.topology.Failure;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Finds the addresses of nodes. Used by one cycle at a time. */
public final class Resolver {
  /** The system's resolver, or a test's. */
  @FunctionalInterface
  interface Lookup {
    InetAddress[] of(String host) throws UnknownHostException;
  }

  private final Executor executor;
  private final boolean allowLoopback;
  private final Lookup lookup;
  private final Map<String, Future<InetAddress[]>> underWay = new HashMap<>();

  /**
   * @param executor runs the look-ups, since the system's resolver accepts no timeout
   * @param allowLoopback whether a loopback address is usable
   */
  public Resolver(Executor executor, boolean allowLoopback) {
    this(executor, allowLoopback, InetAddress::getAllByName);
  }

  Resolver(Executor executor, boolean allowLoopback, Lookup lookup) {
    this.executor = executor;
    this.allowLoopback = allowLoopback;
    this.lookup = lookup;
  }

  /**
   * Returns the addresses of all entries. A look-up that fails proves nothing about a node, which
   * is then UNKNOWN. All look-ups run at the same time. A cycle does not wait for a look-up that an
   * earlier cycle waited for in vain. Its result is used in the cycle after it ends.
   *
   * @param deadline of the look-ups
   */
  NodeAddresses places(List<Node> entries, Deadline deadline) {
    Map<String, LookUp> lookUps = new HashMap<>();
    for (Node entry : entries) {
      if (!Addresses.isAddress(entry.host())) {
        lookUps.computeIfAbsent(entry.host(), this::join);
      }
    }
    Map<Node, InetAddress> found = new LinkedHashMap<>();
    List<NodeState> unresolved = new ArrayList<>();
    for (Node entry : entries) {
      try {
        List<InetAddress> usable = usable(addresses(entry, lookUps.get(entry.host()), deadline));
        for (InetAddress address : usable) {
          found.put(usable.size() == 1 ? entry : entry.at(Addresses.text(address)), address);
        }
      } catch (UnknownHostException e) {
        unresolved.add(NodeState.unknown(entry, null, Failure.OTHER, e.getMessage()));
      }
    }
    lookUps.values().stream()
        .filter(pending -> pending.isNew() && !pending.future().isDone())
        .forEach(pending -> underWay.put(pending.host(), pending.future()));
    return new NodeAddresses(found, unresolved);
  }

  /** The addresses in an order that a name server cannot change: IPv4 before IPv6, lowest first. */
  private static List<InetAddress> addresses(Node entry, LookUp pending, Deadline deadline)
      throws UnknownHostException {
    return pending == null
        ? List.of(Addresses.parse(entry.host()))
        : Arrays.stream(pending.addresses(deadline))
            .sorted((a, b) -> Addresses.NUMERIC.compare(Addresses.text(a), Addresses.text(b)))
            .toList();
  }

  private List<InetAddress> usable(List<InetAddress> addresses) throws UnknownHostException {
    List<InetAddress> usable =
        addresses.stream().filter(address -> refusedAs(address) == null).toList();
    if (usable.isEmpty()) {
      throw new UnknownHostException(
          "resolves to %s, %s, which Kubernetes refuses"
              .formatted(Addresses.text(addresses.get(0)), refusedAs(addresses.get(0))));
    }
    return usable;
  }

  private String refusedAs(InetAddress address) {
    return allowLoopback && address.isLoopbackAddress() ? null : Addresses.refusedAs(address);
  }

  /**
   * A look-up that is running, or has ended since the last cycle.
   *
   * @param isNew whether this cycle started it
   */
  private record LookUp(String host, Future<InetAddress[]> future, boolean isNew) {
    private InetAddress[] addresses(Deadline deadline) throws UnknownHostException {
      try {
        return future.get(isNew ? deadline.remainingMillis() : 0, TimeUnit.MILLISECONDS);
      } catch (ExecutionException e) {
        String reason = String.valueOf(e.getCause().getMessage());
        throw unresolved(
            reason.startsWith(host + ": ") ? reason.substring(host.length() + 2) : reason);
      } catch (TimeoutException e) {
        throw unresolved("no answer within " + deadline);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while " + host + " was looked up", e);
      }
    }

    private static UnknownHostException unresolved(String reason) {
      return new UnknownHostException("its name does not resolve: " + reason);
    }
  }

  /**
   * Starts a look-up, or joins the one of an earlier cycle. A look-up cannot be interrupted, and a
   * new one in each cycle would pile up threads while a name server is silent.
   */
  private LookUp join(String host) {
    Future<InetAddress[]> earlier = underWay.remove(host);
    if (earlier != null) {
      if (!earlier.isDone()) {
        underWay.put(host, earlier);
      }
      return new LookUp(host, earlier, /* isNew= */ false);
    }
    FutureTask<InetAddress[]> fresh = new FutureTask<>(() -> lookup.of(host));
    try {
      executor.execute(fresh);
    } catch (RejectedExecutionException | OutOfMemoryError e) {
      return new LookUp(
          host, CompletableFuture.failedFuture(new UnknownHostException(e.getMessage())), true);
    }
    return new LookUp(host, fresh, /* isNew= */ true);
  }
}
