package io.github.pgendpoints.soak;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.EndpointAddress;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The object behind a Service, in the form that PUBLISH selects. */
enum Form {
  ENDPOINTS(Endpoints.class, "") {
    @Override
    List<String> addresses(HasMetadata object) {
      return ((Endpoints) object)
          .getSubsets().stream()
              .flatMap(subset -> subset.getAddresses().stream().map(EndpointAddress::getIp))
              .toList();
    }

    @Override
    HasMetadata with(HasMetadata object, String address, int port) {
      var endpoints = ((Endpoints) object).edit().withSubsets();
      return address.isEmpty()
          ? endpoints.build()
          : endpoints
              .addNewSubset()
              .addNewAddress()
              .withIp(address)
              .endAddress()
              .addNewPort()
              .withName("postgresql")
              .withPort(port)
              .endPort()
              .endSubset()
              .build();
    }

    @Override
    List<String> written(JsonNode body) {
      List<String> addresses = new ArrayList<>();
      body.path("subsets")
          .forEach(
              subset ->
                  subset
                      .path("addresses")
                      .forEach(each -> addresses.add(each.path("ip").asText())));
      return addresses;
    }
  },

  /** All nodes have IPv4 and one port, so each Service has one slice. */
  ENDPOINTSLICES(EndpointSlice.class, "-ipv4") {
    @Override
    List<String> addresses(HasMetadata object) {
      return FakeApiServer.endpoints((EndpointSlice) object).stream()
          .flatMap(each -> each.getAddresses().stream())
          .toList();
    }

    @Override
    HasMetadata with(HasMetadata object, String address, int port) {
      var slice = ((EndpointSlice) object).edit().withEndpoints();
      return address.isEmpty()
          ? slice.build()
          : slice.addNewEndpoint().withAddresses(address).endEndpoint().build();
    }

    @Override
    List<String> written(JsonNode body) {
      List<String> addresses = new ArrayList<>();
      body.path("endpoints")
          .forEach(
              each -> each.path("addresses").forEach(address -> addresses.add(address.asText())));
      return addresses;
    }
  };

  private final Class<? extends HasMetadata> type;
  private final String suffix;

  Form(Class<? extends HasMetadata> type, String suffix) {
    this.type = type;
    this.suffix = suffix;
  }

  abstract List<String> addresses(HasMetadata object);

  /** Returns the object with one address, or with none if the address is empty. */
  abstract HasMetadata with(HasMetadata object, String address, int port);

  /** Returns the addresses in the body of a request. */
  abstract List<String> written(JsonNode body);

  /** Returns the resource name in API paths. */
  String resource() {
    return HasMetadata.getPlural(type);
  }

  /** Returns the name of an object's Service. */
  String service(String name) {
    return name.substring(0, name.length() - suffix.length());
  }

  /** Returns the object with mutable annotations and labels; null when there is none. */
  HasMetadata of(FakeApiServer api, String service) {
    HasMetadata object = api.get(type, api.namespace(), service + suffix);
    if (object != null) {
      var metadata = object.getMetadata();
      metadata.setAnnotations(copy(metadata.getAnnotations()));
      metadata.setLabels(copy(metadata.getLabels()));
    }
    return object;
  }

  private static HashMap<String, String> copy(Map<String, String> map) {
    return map == null ? new HashMap<>() : new HashMap<>(map);
  }

  void delete(FakeApiServer api, String service) {
    api.delete(type, api.namespace(), service + suffix);
  }
}
