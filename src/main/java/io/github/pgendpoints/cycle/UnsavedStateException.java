package io.github.pgendpoints.cycle;

import io.fabric8.kubernetes.client.KubernetesClientException;

/** Thrown when STATE cannot be written in a cycle that is refused anyway. */
final class UnsavedStateException extends Exception {
  UnsavedStateException(KubernetesClientException cause) {
    super(cause);
  }

  @Override
  public synchronized KubernetesClientException getCause() {
    return (KubernetesClientException) super.getCause();
  }
}
