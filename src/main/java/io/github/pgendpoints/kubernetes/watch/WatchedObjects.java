package io.github.pgendpoints.kubernetes.watch;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Informable;
import io.github.pgendpoints.kubernetes.ObjectKind;
import io.github.pgendpoints.kubernetes.ObjectOperation;
import io.github.pgendpoints.kubernetes.RequestListener;
import java.net.HttpURLConnection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Objects of one kind behind several Services. They are read only if no informer confirms that they
 * are unchanged.
 *
 * @param <T> the kind
 */
public final class WatchedObjects<T extends HasMetadata> implements RequestListener, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(WatchedObjects.class);

  private final ObjectKind<T> kind;
  private final Function<T, String> service;
  private final Runnable forbidden;
  private final Consumer<String> degraded;
  private final Map<String, One<T>> byService = new LinkedHashMap<>();

  private record One<T extends HasMetadata>(
      KnownObjects<T> known, RestartingInformer<T> informer) {}

  /**
   * @param services the objects to watch for each Service; empty in a run of one cycle, which reads
   *     all objects
   * @param service returns the Service that an object belongs to
   * @param forbidden runs if the Role does not grant list and watch
   * @param degraded receives a message if objects cannot be watched for another reason
   * @param nanoTime as {@link System#nanoTime}
   * @param changed runs when another writer has changed an object
   */
  public WatchedObjects(
      ObjectKind<T> kind,
      Map<String, ? extends Informable<T>> services,
      Function<T, String> service,
      Runnable forbidden,
      Consumer<String> degraded,
      LongSupplier nanoTime,
      Runnable changed) {
    this.kind = kind;
    this.service = service;
    this.forbidden = forbidden;
    this.degraded = degraded;
    services.forEach(
        (name, objects) -> {
          KnownObjects<T> known = new KnownObjects<>(changed, nanoTime);
          byService.put(name, new One<>(known, new RestartingInformer<>(objects, known, nanoTime)));
        });
  }

  /**
   * Returns the objects that are known, or reads them now and watches them from then on.
   *
   * @param read reads the objects of this Service; it returns null if it must not read
   * @return null if {@code read} returned null
   */
  public List<T> get(String serviceName, Supplier<List<T>> read) {
    One<T> one = byService.get(serviceName);
    return one != null && one.known.isKnown(one.informer.check())
        ? one.known.objects()
        : read(serviceName, read);
  }

  /** Reads the objects now and watches them from then on; otherwise like {@link #get}. */
  public List<T> read(String serviceName, Supplier<List<T>> read) {
    One<T> one = byService.get(serviceName);
    if (one == null) {
      return read.get();
    }
    one.known.reading(one.informer.check());
    try {
      List<T> found = read.get();
      if (found == null) {
        one.known.failed();
      } else {
        read(serviceName, one, found);
      }
      return found;
    } catch (RuntimeException e) {
      one.known.failed();
      throw e;
    }
  }

  /** Makes {@link #get} read all objects again, regardless of what the informers report. */
  public void forget() {
    byService.values().forEach(one -> one.known.forget());
  }

  /** Whether the objects of this Service have changed since they were read, or may have. */
  public boolean isOutdated(String serviceName) {
    One<T> one = byService.get(serviceName);
    return one != null && one.informer.isWatching() && !one.known.isKnown(true);
  }

  private void read(String serviceName, One<T> one, List<T> found) {
    if (one.known.read(found)) {
      LOG.info(
          "the informer of the {} of {} missed a change and is restarted",
          kind.plural(),
          serviceName);
      one.informer.restart();
    }
    // Only after a read: while the API server does not answer, an informer has nothing to report.
    one.informer.readAnswered();
    if (one.informer.isForbidden()) {
      forbidden.run();
    } else if (one.informer.isFailing()) {
      degraded.accept(
          "the %s of %s cannot be watched, so they are read instead"
              .formatted(kind.plural(), serviceName));
    }
  }

  @Override
  public void writing(ObjectKind<?> written, HasMetadata object) {
    One<T> one = one(written, object);
    if (one != null) {
      one.known.writing();
    }
  }

  @Override
  public void ended(
      ObjectOperation operation,
      ObjectKind<?> written,
      HasMetadata object,
      KubernetesClientException failure) {
    if (failure != null
        && object == null
        && failure.getCode() != HttpURLConnection.HTTP_FORBIDDEN) {
      // A read of any kind failed. While the API server does not answer, no informer can watch.
      byService.values().forEach(each -> each.informer.readFailed());
    }
    One<T> one = one(written, object);
    if (one == null) {
      return;
    }
    if (failure != null) {
      one.known.failed();
    } else if (operation == ObjectOperation.DELETE) {
      one.known.deleted(object.getMetadata().getName());
    } else {
      one.known.wrote(kind.type().cast(object));
    }
  }

  /** Returns null for a read, an object of another kind or Service, and in a run of one cycle. */
  private One<T> one(ObjectKind<?> written, HasMetadata object) {
    return object != null && written.equals(kind)
        ? byService.get(service.apply(kind.type().cast(object)))
        : null;
  }

  /** Stops the informers. */
  @Override
  public void close() {
    byService.values().forEach(one -> one.informer.stop());
  }
}
