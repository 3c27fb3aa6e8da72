package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.github.pgendpoints.kubernetes.election.Leadership;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The Endpoints of the Services, known as long as a watch tells of no change. It learns what they
 * are from the routes that ask for them and write them, and from outside, so that these need not
 * speak of it.
 */
public final class WatchedEndpoints implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(WatchedEndpoints.class);

  private static final String RULE =
      "; add to the Role: apiGroups [\"\"], resources [endpoints], resourceNames [%s], verbs [watch]";

  private record One(Watched<Endpoints> watched, Watch watch) {}

  private final Map<String, One> byName;
  private final Consumer<String> degraded;

  /**
   * @param names of the Endpoints
   * @param leadership in each of which they are read at least once
   * @param degraded told when they cannot be watched
   * @param nanoTime as {@link System#nanoTime}
   * @param wake lets a cycle look at once, since somebody else has changed one of them
   */
  public WatchedEndpoints(
      KubernetesClient client,
      String namespace,
      Collection<String> names,
      Leadership leadership,
      Consumer<String> degraded,
      LongSupplier nanoTime,
      Runnable wake) {
    this.degraded = degraded;
    this.byName = new LinkedHashMap<>();
    for (String name : names) {
      // A field selector is what a rule with resourceNames allows to watch.
      String path =
          "api/v1/namespaces/%s/endpoints?fieldSelector=metadata.name%%3D%s"
              .formatted(namespace, name);
      Watched<Endpoints> watched = new Watched<>(nanoTime, leadership::term, wake);
      byName.put(
          name, new One(watched, new Watch(client, path, watched, leadership::isHeld, nanoTime)));
    }
  }

  private WatchedEndpoints() {
    byName = Map.of();
    degraded = message -> {};
  }

  /** For a run of one cycle, which reads all it needs. */
  public static WatchedEndpoints none() {
    return new WatchedEndpoints();
  }

  /** Whether the Endpoints need not be read: they are what {@link #endpoints} says. */
  public boolean areKnown(String name) {
    One one = byName.get(name);
    return one != null && one.watched().isKnown();
  }

  /** The Endpoints as last read or written; null when there are none. */
  public Endpoints endpoints(String name) {
    return byName.get(name).watched().objects().stream().findFirst().orElse(null);
  }

  /**
   * Reads the Endpoints, and watches them from now on.
   *
   * @param read gets the Endpoints of a name, null when there are none
   */
  public Endpoints read(String name, Function<String, Endpoints> read) {
    One one = byName.get(name);
    if (one == null) {
      return read.apply(name);
    }
    one.watched().ask();
    try {
      Endpoints found = read.apply(name);
      read(name, one, found == null ? List.of() : List.of(found));
      return found;
    } catch (RuntimeException e) {
      one.watched().unanswered();
      one.watch().readFailed();
      throw e;
    }
  }

  /** This process is about to write the Endpoints. */
  public void writing(String name) {
    One one = byName.get(name);
    if (one != null) {
      one.watched().ask();
    }
  }

  /**
   * This process has written the Endpoints.
   *
   * @param now what there is now; empty when they are deleted
   */
  public void written(String name, List<Endpoints> now) {
    One one = byName.get(name);
    if (one != null) {
      one.watched().wrote(now);
    }
  }

  /** The write failed, and may have had an effect. */
  public void writeFailed(String name) {
    One one = byName.get(name);
    if (one != null) {
      one.watched().unanswered();
    }
  }

  private void read(String name, One one, List<Endpoints> found) {
    if (!one.watched().read(found)) {
      LOG.info("the watch of Endpoints {} has not told of a change: it is opened anew", name);
      one.watch().rearm();
    }
    // Not before: where the API cannot be reached, there is no use in it, and nothing to say.
    one.watch().arm();
    if (one.watch().isForbidden()) {
      degraded.accept(
          "the Role does not grant watch on the Endpoints, so they are read in each cycle%s"
              .formatted(RULE.formatted(String.join(", ", byName.keySet()))));
    } else if (one.watch().isFailing()) {
      degraded.accept(
          "the Endpoints %s cannot be watched, so they are read in each cycle".formatted(name));
    }
  }

  /** Ends the watches. */
  @Override
  public void close() {
    byName.values().forEach(one -> one.watch().stop());
  }
}
