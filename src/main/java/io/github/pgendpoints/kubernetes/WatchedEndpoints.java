package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.github.pgendpoints.kubernetes.election.Leadership;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The Endpoints of the Services, which are read only when an informer does not vouch for them. */
public final class WatchedEndpoints implements RequestListener, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(WatchedEndpoints.class);

  private static final String NOT_GRANTED =
      "the Role does not grant list and watch on the Endpoints, so they are read in each cycle; add to the Role: apiGroups [\"\"], resources [endpoints], resourceNames [%s], verbs [list, watch]";

  private final Map<String, One> byName = new LinkedHashMap<>();
  private final Consumer<String> degraded;

  private record One(KnownObject<Endpoints> known, ObjectInformer<Endpoints> informer) {}

  /**
   * @param names of the Endpoints
   * @param leadership in each of which they are read at least once
   * @param degraded told when they cannot be watched
   * @param nanoTime as {@link System#nanoTime}
   * @param wake makes a cycle due at once, since another writer has changed one of them
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
    for (String name : names) {
      KnownObject<Endpoints> known = new KnownObject<>(leadership::term, wake, nanoTime);
      // fabric8 makes a field selector of the name, which is what a rule with resourceNames grants.
      Resource<Endpoints> resource = client.endpoints().inNamespace(namespace).withName(name);
      byName.put(name, new One(known, new ObjectInformer<>(resource, known::changed, nanoTime)));
    }
  }

  private WatchedEndpoints() {
    degraded = message -> {};
  }

  /** For a run of one cycle, which reads all it needs. */
  public static WatchedEndpoints none() {
    return new WatchedEndpoints();
  }

  /**
   * The Endpoints as they are known, or as they are read now and watched from then on.
   *
   * @param read gets the Endpoints of a name, null when there are none
   * @return null when there are none
   */
  public Endpoints get(String name, Function<String, Endpoints> read) {
    One one = byName.get(name);
    if (one == null) {
      return read.apply(name);
    }
    boolean watching = one.informer.check();
    if (one.known.isKnown(watching)) {
      return one.known.object();
    }
    one.known.ask(watching);
    try {
      Endpoints found = read.apply(name);
      read(name, one, found);
      return found;
    } catch (RuntimeException e) {
      one.known.failed();
      byName.values().forEach(each -> each.informer.readFailed());
      throw e;
    }
  }

  private void read(String name, One one, Endpoints found) {
    if (one.known.read(found)) {
      LOG.info("the informer of Endpoints {} did not report a change: a new one starts", name);
      one.informer.restart();
    }
    // Not before: while the API server does not answer, an informer has nothing to report.
    one.informer.readAnswered();
    if (one.informer.isForbidden()) {
      degraded.accept(NOT_GRANTED.formatted(String.join(", ", byName.keySet())));
    } else if (one.informer.isFailing()) {
      degraded.accept(
          "the Endpoints %s cannot be watched, so they are read in each cycle".formatted(name));
    }
  }

  @Override
  public void writing(ObjectKind<?> kind, HasMetadata object) {
    One one = one(object);
    if (one != null) {
      one.known.ask(one.informer.isWatching());
    }
  }

  @Override
  public void ended(
      ObjectOperation operation,
      ObjectKind<?> kind,
      HasMetadata object,
      KubernetesClientException failure) {
    One one = one(object);
    if (one != null && failure == null) {
      one.known.wrote(operation == ObjectOperation.DELETE ? null : (Endpoints) object);
    } else if (one != null) {
      one.known.failed();
    }
  }

  /** Null for a read, for an object of another kind, and in a run of one cycle. */
  private One one(HasMetadata object) {
    return object instanceof Endpoints ? byName.get(object.getMetadata().getName()) : null;
  }

  /** Stops the informers. */
  @Override
  public void close() {
    byName.values().forEach(one -> one.informer.stop());
  }
}
