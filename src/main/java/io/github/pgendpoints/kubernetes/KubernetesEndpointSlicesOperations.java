package io.github.pgendpoints.kubernetes;

import java.util.List;

/** What the {@code operation} option of a {@code kubernetes-endpoint-slices} URI can be. */
public final class KubernetesEndpointSlicesOperations {

  /** The EndpointSlices of a namespace, or of all namespaces when none is given. */
  public static final String LIST_ENDPOINT_SLICES_OPERATION = "listEndpointSlices";

  /** As {@link #LIST_ENDPOINT_SLICES_OPERATION}, of those that carry all the given labels. */
  public static final String LIST_ENDPOINT_SLICES_BY_LABELS_OPERATION =
      "listEndpointSlicesByLabels";

  /** One EndpointSlice, or a null body when it does not exist. */
  public static final String GET_ENDPOINT_SLICE_OPERATION = "getEndpointSlice";

  /** Creates an EndpointSlice; 409 AlreadyExists when it is there. */
  public static final String CREATE_ENDPOINT_SLICE_OPERATION = "createEndpointSlice";

  /** Changes what the headers name and nothing else; 404 NotFound when there is no such slice. */
  public static final String PATCH_ENDPOINT_SLICE_OPERATION = "patchEndpointSlice";

  /** As {@link #PATCH_ENDPOINT_SLICE_OPERATION}, but creates the slice when there is none. */
  public static final String PATCH_OR_CREATE_ENDPOINT_SLICE_OPERATION =
      "patchOrCreateEndpointSlice";

  /** Deletes an EndpointSlice; the body says whether it was there. */
  public static final String DELETE_ENDPOINT_SLICE_OPERATION = "deleteEndpointSlice";

  /** Every operation, in the order of the documentation. */
  public static final List<String> ALL =
      List.of(
          LIST_ENDPOINT_SLICES_OPERATION,
          LIST_ENDPOINT_SLICES_BY_LABELS_OPERATION,
          GET_ENDPOINT_SLICE_OPERATION,
          CREATE_ENDPOINT_SLICE_OPERATION,
          PATCH_ENDPOINT_SLICE_OPERATION,
          PATCH_OR_CREATE_ENDPOINT_SLICE_OPERATION,
          DELETE_ENDPOINT_SLICE_OPERATION);

  private KubernetesEndpointSlicesOperations() {}
}
