package io.github.pgendpoints.training;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/**
 * A Kubernetes API that stores the objects it receives, mirrors new Endpoints to an EndpointSlice,
 * and answers 404 for any other object. As in a pod, the environment holds its address, and it uses
 * TLS.
 */
final class StandInApi implements AutoCloseable {
  private static final String PASSWORD = "training";
  private static final String SERVICE_NAME = "kubernetes.io/service-name";
  private static final Pattern COLLECTION = Pattern.compile(".*/namespaces/[^/]+/[^/]+");

  private final ObjectMapper json = new ObjectMapper();
  private final Map<String, ObjectNode> objects = new ConcurrentHashMap<>();
  private final HttpsServer server;
  private final Path certificate;
  private final Path token;

  /**
   * Starts an API that runs until it is closed.
   *
   * @param folder the folder for its files
   */
  StandInApi(Path folder) throws IOException, GeneralSecurityException, InterruptedException {
    KeyStore keys = keys(folder.resolve("api.p12"));
    certificate =
        Files.writeString(
            folder.resolve("ca.crt"),
            "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n"
                .formatted(
                    Base64.getMimeEncoder()
                        .encodeToString(keys.getCertificate("api").getEncoded())));
    token = Files.writeString(folder.resolve("token"), "training");
    KeyManagerFactory factory =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(keys, PASSWORD.toCharArray());
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(factory.getKeyManagers(), null, null);
    server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setHttpsConfigurator(new HttpsConfigurator(tls));
    server.createContext("/", this::answer);
    server.start();
  }

  /** Creates a self-signed certificate with keytool: the JDK has no API that creates one. */
  private static KeyStore keys(Path file)
      throws IOException, GeneralSecurityException, InterruptedException {
    Training.run(
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
            "-genkeypair",
            "-alias",
            "api",
            "-keyalg",
            "EC",
            "-dname",
            "CN=training",
            "-ext",
            "SAN=ip:" + InetAddress.getLoopbackAddress().getHostAddress(),
            "-storepass",
            PASSWORD,
            "-keystore",
            file.toString()));
    return KeyStore.getInstance(file.toFile(), PASSWORD.toCharArray());
  }

  /** Returns the environment variables for access to this API, as a pod has them. */
  Map<String, String> environment() {
    return Map.of(
        "KUBERNETES_SERVICE_HOST",
        server.getAddress().getAddress().getHostAddress(),
        "KUBERNETES_SERVICE_PORT",
        String.valueOf(server.getAddress().getPort()),
        "KUBERNETES_AUTH_SERVICEACCOUNT_TOKEN",
        token.toString(),
        "KUBERNETES_CERTS_CA_FILE",
        certificate.toString());
  }

  /** Adds a Service without a selector, which is what the program requires. */
  void addService(String namespace, String name) {
    ObjectNode service = json.createObjectNode().put("kind", "Service").put("apiVersion", "v1");
    service
        .putObject("metadata")
        .put("namespace", namespace)
        .put("name", name)
        .put("resourceVersion", "1");
    service.putObject("spec").putArray("ports").addObject().put("name", "postgresql");
    objects.put("/api/v1/namespaces/%s/services/%s".formatted(namespace, name), service);
  }

  /** Deletes the Endpoints and the EndpointSlice that were published for a Service. */
  void forgetPublished(String service) {
    objects
        .keySet()
        .removeIf(path -> path.endsWith("/endpoints/" + service) || path.endsWith(slice(service)));
  }

  @Override
  public void close() {
    server.stop(0);
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String path = exchange.getRequestURI().getPath();
      byte[] body = exchange.getRequestBody().readAllBytes();
      if (exchange.getRequestMethod().equals("POST")) {
        ObjectNode object = (ObjectNode) json.readTree(body);
        object.withObject("/metadata").put("resourceVersion", "1");
        objects.put(path + "/" + object.at("/metadata/name").asText(), object);
        if (object.has("subsets")) {
          mirror(object);
        }
        answer(exchange, 201, object);
      } else if (exchange.getRequestMethod().equals("PATCH")) {
        ObjectNode object = objects.get(path);
        object.withObject("/data").setAll((ObjectNode) json.readTree(body).path("data"));
        answer(exchange, 200, object);
      } else if (objects.containsKey(path)) {
        answer(exchange, 200, objects.get(path));
      } else if (COLLECTION.matcher(path).matches()) {
        answer(exchange, 200, list(path, exchange.getRequestURI().getQuery()));
      } else {
        answer(exchange, 404, notFound(path));
      }
    }
  }

  private static String slice(String service) {
    return "/endpointslices/" + service + "-mirrored";
  }

  private void mirror(ObjectNode endpoints) {
    String service = endpoints.at("/metadata/name").asText();
    String namespace = endpoints.at("/metadata/namespace").asText();
    ObjectNode mirrored =
        json.createObjectNode()
            .put("kind", "EndpointSlice")
            .put("apiVersion", "discovery.k8s.io/v1")
            .put("addressType", "IPv4");
    mirrored
        .putObject("metadata")
        .put("namespace", namespace)
        .put("name", service + "-mirrored")
        .put("resourceVersion", "1")
        .putObject("labels")
        .put(SERVICE_NAME, service);
    ArrayNode members = mirrored.putArray("endpoints");
    ArrayNode ports = mirrored.putArray("ports");
    for (JsonNode subset : endpoints.path("subsets")) {
      subset
          .path("addresses")
          .forEach(address -> members.addObject().putArray("addresses").add(address.path("ip")));
      subset.path("ports").forEach(ports::add);
    }
    objects.put("/apis/discovery.k8s.io/v1/namespaces/" + namespace + slice(service), mirrored);
  }

  /**
   * Returns the objects of a collection.
   *
   * @param query a selector for slices by the Service in their label; null for all objects
   */
  private ObjectNode list(String path, String query) {
    ObjectNode list = json.createObjectNode().put("kind", "List").put("apiVersion", "v1");
    ArrayNode items = list.putArray("items");
    objects.forEach(
        (name, object) -> {
          String service = object.at("/metadata/labels").path(SERVICE_NAME).asText();
          if (name.startsWith(path + "/")
              && (query == null || query.equals("labelSelector=" + SERVICE_NAME + "=" + service))) {
            items.add(object);
          }
        });
    return list;
  }

  private ObjectNode notFound(String path) {
    ObjectNode status =
        json.createObjectNode()
            .put("kind", "Status")
            .put("apiVersion", "v1")
            .put("status", "Failure")
            .put("reason", "NotFound")
            .put("code", 404);
    Path resource = Path.of(path);
    // Without the details, the client could take the namespace for the missing object.
    status
        .putObject("details")
        .put("name", resource.getFileName().toString())
        .put("kind", resource.getParent().getFileName().toString());
    return status;
  }

  private static void answer(HttpExchange exchange, int status, ObjectNode object)
      throws IOException {
    byte[] bytes = object.toString().getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }
}
