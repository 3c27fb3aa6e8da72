package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.util.List;

/** Is told of each request to the Kubernetes API, retries included. */
@FunctionalInterface
public interface RequestListener {
  /** For a process that has no use for it. */
  RequestListener NONE = (operation, kind, object, failure) -> {};

  /**
   * A write is about to be sent.
   *
   * @param object that is written
   */
  default void writing(ObjectKind<?> kind, HasMetadata object) {}

  /**
   * A request has ended.
   *
   * @param object of a write: as the API server has it now, else as it was sent; null for a read
   * @param failure null when the API server granted it
   */
  void ended(
      ObjectOperation operation,
      ObjectKind<?> kind,
      HasMetadata object,
      KubernetesClientException failure);

  /** Tells each of them, in this order. */
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
