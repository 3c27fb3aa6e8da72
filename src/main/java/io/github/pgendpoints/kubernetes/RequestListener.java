package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.util.List;

/** Receives an event for each request to the Kubernetes API, including retries. */
@FunctionalInterface
public interface RequestListener {
  /** A listener that does nothing. */
  RequestListener NONE = (operation, kind, object, failure) -> {};

  /**
   * Called before a write is sent.
   *
   * @param object the object to write
   */
  default void writing(ObjectKind<?> kind, HasMetadata object) {}

  /**
   * Called after a request has ended.
   *
   * @param object of a write, as the API server returned it, else as it was sent; null for a read
   * @param failure null if the API server granted the request
   */
  void ended(
      ObjectOperation operation,
      ObjectKind<?> kind,
      HasMetadata object,
      KubernetesClientException failure);

  /** Returns a listener that calls all of these, in this order. */
  static RequestListener all(List<RequestListener> listeners) {
    return new RequestListener() {
      @Override
      public void writing(ObjectKind<?> kind, HasMetadata object) {
        listeners.forEach(each -> each.writing(kind, object));
      }

      @Override
      public void ended(
          ObjectOperation operation,
          ObjectKind<?> kind,
          HasMetadata object,
          KubernetesClientException failure) {
        listeners.forEach(each -> each.ended(operation, kind, object, failure));
      }
    };
  }
}
