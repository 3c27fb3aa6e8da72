package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;

/**
 * A kind of object that the program reads or writes.
 *
 * @param type the class of the objects
 * @param name the name in operations, such as {@code Endpoints} in {@code getEndpoints}
 * @param plural the name in operations on several objects
 * @param content returns the fields besides the metadata, by name; null values are left out
 */
public record ObjectKind<T extends HasMetadata>(
    Class<T> type, String name, String plural, Function<T, Map<String, Object>> content) {

  public static final ObjectKind<Endpoints> ENDPOINTS =
      new ObjectKind<>(
          Endpoints.class,
          "Endpoints",
          "Endpoints",
          endpoints -> fields("subsets", endpoints.getSubsets()));

  public static final ObjectKind<EndpointSlice> ENDPOINT_SLICES =
      new ObjectKind<>(
          EndpointSlice.class,
          "EndpointSlice",
          "EndpointSlices",
          slice ->
              fields(
                  "addressType",
                  slice.getAddressType(),
                  "endpoints",
                  slice.getEndpoints(),
                  "ports",
                  slice.getPorts()));

  public static final ObjectKind<Service> SERVICES =
      new ObjectKind<>(Service.class, "Service", "Services", service -> Map.of());

  public static final ObjectKind<ConfigMap> CONFIG_MAPS =
      new ObjectKind<>(
          ConfigMap.class, "ConfigMap", "ConfigMaps", map -> fields("data", map.getData()));

  private static Map<String, Object> fields(Object... namesAndValues) {
    Map<String, Object> fields = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      if (namesAndValues[i + 1] != null) {
        fields.put((String) namesAndValues[i], namesAndValues[i + 1]);
      }
    }
    return fields;
  }
}
