package io.github.pgendpoints.kubernetes;

import java.util.List;

/** What the {@code operation} option of a {@code kubernetes-endpoints} URI can be. */
public final class KubernetesEndpointsOperations {

  /** The Endpoints of a namespace, or of all namespaces when none is given. */
  public static final String LIST_ENDPOINTS_OPERATION = "listEndpoints";

  /** As {@link #LIST_ENDPOINTS_OPERATION}, of those that carry all the given labels. */
  public static final String LIST_ENDPOINTS_BY_LABELS_OPERATION = "listEndpointsByLabels";

  /** One Endpoints object, or a null body when it does not exist. */
  public static final String GET_ENDPOINTS_OPERATION = "getEndpoints";

  /** Creates Endpoints; 409 AlreadyExists when they are there. */
  public static final String CREATE_ENDPOINTS_OPERATION = "createEndpoints";

  /** Changes what the headers name and nothing else; 404 NotFound when there are no Endpoints. */
  public static final String PATCH_ENDPOINTS_OPERATION = "patchEndpoints";

  /** As {@link #PATCH_ENDPOINTS_OPERATION}, but creates the Endpoints when there are none. */
  public static final String PATCH_OR_CREATE_ENDPOINTS_OPERATION = "patchOrCreateEndpoints";

  /** Deletes Endpoints; the body says whether there were any. */
  public static final String DELETE_ENDPOINTS_OPERATION = "deleteEndpoints";

  /** Every operation, in the order of the documentation. */
  public static final List<String> ALL =
      List.of(
          LIST_ENDPOINTS_OPERATION,
          LIST_ENDPOINTS_BY_LABELS_OPERATION,
          GET_ENDPOINTS_OPERATION,
          CREATE_ENDPOINTS_OPERATION,
          PATCH_ENDPOINTS_OPERATION,
          PATCH_OR_CREATE_ENDPOINTS_OPERATION,
          DELETE_ENDPOINTS_OPERATION);

  private KubernetesEndpointsOperations() {}
}
