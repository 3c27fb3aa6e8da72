package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.github.pgendpoints.kubernetes.ObjectKind;
import io.github.pgendpoints.kubernetes.ObjectOperation;

/**
 * One write to the Kubernetes API.
 *
 * @param operation as the components {@code kubernetes-endpoints} and {@code
 *     kubernetes-endpoint-slices} spell it
 * @param object what is written, with the resourceVersion that it must still have; a new object has
 *     none
 * @param summary what the write changes, in one line
 */
public record ObjectWrite(String operation, HasMetadata object, String summary) {
  static ObjectWrite of(ObjectOperation operation, HasMetadata object, String summary) {
    ObjectKind<?> kind =
        object instanceof EndpointSlice ? ObjectKind.ENDPOINT_SLICES : ObjectKind.ENDPOINTS;
    return new ObjectWrite(operation.of(kind), object, summary);
  }

  public String service() {
    return Slices.serviceOf(object);
  }

  public boolean isSlice() {
    return object instanceof EndpointSlice;
  }
}
