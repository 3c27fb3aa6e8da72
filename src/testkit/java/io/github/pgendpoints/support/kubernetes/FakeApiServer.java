package io.github.pgendpoints.support.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.EndpointAddress;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.fabric8.mockwebserver.Context;
import io.fabric8.mockwebserver.MockWebServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import javax.net.ServerSocketFactory;

/**
 * A Kubernetes API server on 127.0.0.1, over plain HTTP or TLS. It responds as kube-apiserver does
 * for Endpoints and EndpointSlices; fabric8's mock server serves every other kind. Clients can
 * watch every kind. {@code FakeApiServerTest} defines what the server supports.
 *
 * <pre>{@code
 * try (FakeApiServer api = new FakeApiServer("db").start()) {
 *   api.createService("postgres-rw", "postgres", 5432);
 *   api.beforeNext("PATCH", "endpoints", () -> api.deleteEndpoints("postgres-rw"));
 *   api.client().endpoints()...
 *   assertEquals(List.of("PATCH /api/v1/namespaces/db/endpoints/postgres-rw"), api.calls());
 * }
 * }</pre>
 *
 * <p>A test can set faults at any time; they apply until {@link #heal()}. The direct helpers
 * ({@link #put}, {@link #editEndpoints}, …) represent writes by other clients: they are not logged,
 * not rejected, and work while the server is stopped, but watches receive them.
 */
public final class FakeApiServer implements AutoCloseable {

  private static final String TOKEN = "fake-token";

  // A field, since a logger without references loses its level. It logs each request.
  private static final Logger MOCK_LOGGER = Logger.getLogger(MockWebServer.class.getName());

  static {
    MOCK_LOGGER.setLevel(Level.WARNING);
  }

  private final String namespace;
  private final ApiDispatcher dispatcher;
  private final Faults faults = new Faults();
  private final List<KubernetesClient> clients = new CopyOnWriteArrayList<>();
  private EndpointsMirror mirror;
  private KubernetesMockServer server;
  private Front front;
  private Tls tls;
  private String token = TOKEN;
  private int port;

  /** A server with one namespace, {@code db}. */
  public FakeApiServer() {
    this("db");
  }

  /**
   * @param namespace the namespace that exists from the start and that the short helpers use
   */
  public FakeApiServer(String namespace) {
    this(namespace, false);
  }

  /**
   * @param namespace the namespace that exists from the start and that the short helpers use
   * @param allowLoopback whether 127.0.0.1 may be published, which a real server rejects: for tests
   *     whose databases all run on this machine
   */
  public FakeApiServer(String namespace, boolean allowLoopback) {
    this.namespace = namespace;
    this.dispatcher = new ApiDispatcher(faults, user(), allowLoopback);
    createNamespace(namespace);
    withMirroring(Duration.ZERO);
  }

  // --- life cycle -------------------------------------------------------------------------------

  /** Starts on a free port, or restarts on its previous port with its previous objects. */
  public FakeApiServer start() {
    return start(port);
  }

  /** Starts on the given port; 0 for any free port. */
  public synchronized FakeApiServer start(int onPort) {
    if (server != null) {
      throw new IllegalStateException("The server runs already, on port " + port);
    }
    KubernetesMockServer starting =
        new KubernetesMockServer(
            new Context(), new MockWebServer(), new HashMap<>(), dispatcher, false);
    starting.init(loopback(), 0);
    server = starting;
    front =
        new Front(
            tls == null ? ServerSocketFactory.getDefault() : tls.sockets(),
            loopback(),
            onPort,
            starting.getPort(),
            faults);
    port = front.port();
    return this;
  }

  /** Uses TLS from the next start on, with a certificate that the server's kubeconfig trusts. */
  public synchronized FakeApiServer withTls() {
    tls = Tls.selfMade();
    return this;
  }

  /** Like {@link #withTls()}, but accepts only clients that present this certificate. */
  public synchronized FakeApiServer withClientCertificates(Tls.Client client) {
    tls = Tls.selfMade(client);
    return this;
  }

  /**
   * Mirrors Endpoints to EndpointSlices, as kube-controller-manager does: the existing ones, and
   * each change from now on. A new server mirrors without a lag.
   *
   * @param lag the delay after a change
   */
  public FakeApiServer withMirroring(Duration lag) {
    if (mirror != null) {
      mirror.close();
    }
    mirror = new EndpointsMirror(dispatcher, lag);
    dispatcher.mirror(mirror);
    list(Service.class)
        .forEach(service -> mirror.changed(namespace, service.getMetadata().getName()));
    return this;
  }

  /** Stops the mirroring, as if kube-controller-manager were down: existing slices stay. */
  public FakeApiServer withoutMirroring() {
    mirror.close();
    mirror = null;
    dispatcher.mirror(null);
    return this;
  }

  /** Waits until every change so far is mirrored. */
  public FakeApiServer awaitMirrors() {
    if (mirror != null) {
      mirror.await();
    }
    return this;
  }

  /** Registers an observer that runs after each change by any writer, before the next change. */
  public FakeApiServer onChange(Runnable observer) {
    dispatcher.observe(observer);
    return this;
  }

  /** Rejects connections from now on and breaks the open ones. */
  public synchronized FakeApiServer stop() {
    if (server != null) {
      front.close();
      try {
        server.destroy();
      } catch (RejectedExecutionException e) {
        // The threads that it waits for have already ended: the server is down.
      }
      server = null;
    }
    return this;
  }

  /** Stops the server and closes the clients that came from {@link #client()}. */
  @Override
  public void close() {
    clients.forEach(KubernetesClient::close);
    clients.clear();
    stop();
    if (mirror != null) {
      mirror.close();
    }
  }

  // --- access -----------------------------------------------------------------------------------

  public String namespace() {
    return namespace;
  }

  public int port() {
    return port;
  }

  public String url() {
    return (tls == null ? "http" : "https") + "://127.0.0.1:" + port;
  }

  /** The user of every request, according to the server. */
  public String user() {
    return "system:serviceaccount:%s:postgres-endpoint-manager".formatted(namespace);
  }

  /** A client that gives up after 3 s and does not retry; closed with the server. */
  public KubernetesClient client() {
    return client(config -> {});
  }

  /** Like {@link #client()}, with other settings. */
  public KubernetesClient client(Consumer<ConfigBuilder> settings) {
    ConfigBuilder config =
        new ConfigBuilder(Config.empty())
            .withMasterUrl(url())
            .withNamespace(namespace)
            .withOauthToken(token)
            .withHttp2Disable(true)
            .withConnectionTimeout(2000)
            .withRequestTimeout(3000)
            .withRequestRetryBackoffLimit(0);
    if (tls != null) {
      config.withCaCertData(base64(tls.certificate()));
    }
    settings.accept(config);
    KubernetesClient client = new KubernetesClientBuilder().withConfig(config.build()).build();
    clients.add(client);
    return client;
  }

  /** Returns the access that a kubeconfig provides. */
  public Config config() {
    return Config.fromKubeconfig(kubeconfig());
  }

  /** Writes a kubeconfig that points here, with the namespace and the token. */
  public Path kubeconfig(Path file) {
    try {
      return Files.writeString(file, kubeconfig());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes the certificate that a server with TLS presents, as a pod finds it. */
  public Path caCertificate(Path file) {
    try {
      return Files.writeString(file, tls.certificate());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String kubeconfig() {
    return """
        apiVersion: v1
        kind: Config
        current-context: fake
        clusters:
          - name: fake
            cluster:
              server: %s%s
        users:
          - name: fake
            user:
              token: %s
        contexts:
          - name: fake
            context:
              cluster: fake
              user: fake
              namespace: %s
        """
        .formatted(
            url(),
            tls == null ? "" : "\n      certificate-authority-data: " + base64(tls.certificate()),
            token,
            namespace);
  }

  // --- requests ---------------------------------------------------------------------------------

  /** Returns every request since the start or {@link #clearRequests()}, rejected ones included. */
  public List<ApiRequest> requests() {
    return List.copyOf(dispatcher.requests());
  }

  /** Like {@link #requests()}, each as its method and path. */
  public List<String> calls() {
    return requests().stream().map(ApiRequest::toString).toList();
  }

  /** Returns the requests that write: all but GET, for any resource, rejected ones included. */
  public List<ApiRequest> writes() {
    return requests().stream().filter(request -> !request.method().equals("GET")).toList();
  }

  public FakeApiServer clearRequests() {
    dispatcher.requests().clear();
    return this;
  }

  // --- faults -----------------------------------------------------------------------------------

  /** Removes every fault and hook; a required token stays. */
  public FakeApiServer heal() {
    faults.clear();
    dispatcher.watches(watches -> watches.mute(false));
    return this;
  }

  /** Responds with 401 without this token from now on. Later clients and kubeconfigs have it. */
  public FakeApiServer requireToken(String required) {
    faults.requireToken(required);
    token = required;
    return this;
  }

  /** Responds with 403 for system:anonymous to a request without credentials. */
  public FakeApiServer denyAnonymous() {
    faults.denyAnonymous();
    return this;
  }

  /** Responds with 403 to a verb such as {@code patch} on a resource such as {@code endpoints}. */
  public FakeApiServer deny(String verb, String resource) {
    return deny(verb, resource, null);
  }

  /** Responds with 403 to a verb on the object of that name only. */
  public FakeApiServer deny(String verb, String resource, String name) {
    faults.deny(verb, resource, name);
    return this;
  }

  /**
   * Responds with 403 for every object of a resource except these, as with resourceNames in a Role.
   * A list or watch passes when its field selector names one of them; a create cannot be limited.
   */
  public FakeApiServer grantOnly(String resource, String... names) {
    faults.grantOnly(resource, Set.of(names));
    return this;
  }

  /** Responds with 403 to each request that the rules of a Role do not grant. */
  public FakeApiServer enforce(RoleRules rules) {
    faults.enforce(rules);
    return this;
  }

  /** Responds with this status, such as 429, 500 or 503, to the next requests of any kind. */
  public FakeApiServer fail(int times, int code) {
    faults.fail(times, code, null, request -> true);
    return this;
  }

  /** Like {@link #fail(int, int)}, with the header Retry-After. */
  public FakeApiServer failWithRetryAfter(int times, int code, int seconds) {
    faults.fail(times, code, seconds, request -> true);
    return this;
  }

  /** Responds with this status to the next requests of that method for that resource. */
  public FakeApiServer fail(int times, int code, String method, String resource) {
    faults.fail(times, code, null, matching(method, resource));
    return this;
  }

  /** Sends a fault instead of a response to the next requests of any kind; they have no effect. */
  public FakeApiServer misbehave(int times, RawFault fault) {
    return misbehave(times, fault, "");
  }

  /** Same for requests that begin like {@code PATCH /api/v1/namespaces/db/endpoints/x}. */
  public FakeApiServer misbehave(int times, RawFault fault, String methodAndPath) {
    faults.raw(times, fault, request -> request.startsWith(methodAndPath));
    front.breakConnections();
    return this;
  }

  /**
   * Stops all traffic on open connections, in both directions, without ending them, as if a device
   * in between had forgotten them. New connections work normally.
   */
  public FakeApiServer silenceConnections() {
    front.silenceConnections();
    return this;
  }

  /** Returns the number of watches that clients have open. */
  public int watches() {
    return dispatcher.openWatches();
  }

  /** Ends every watch, as the server does after 30 to 60 minutes. */
  public FakeApiServer endWatches() {
    dispatcher.watches(Watches::end);
    return this;
  }

  /** Ends every watch with 410 Expired: the next change for the watch is forgotten. */
  public FakeApiServer expireWatches() {
    dispatcher.watches(Watches::expire);
    return this;
  }

  /** Sends nothing to any watch from now on, without a visible reason. */
  public FakeApiServer muteWatches() {
    dispatcher.watches(watches -> watches.mute(true));
    return this;
  }

  /** Forgets every version before now: a watch from an earlier version gets 410 Expired. */
  public FakeApiServer forgetHistory() {
    dispatcher.watches(Watches::forget);
    return this;
  }

  /** Returns the number of connections that clients hold open. */
  public int connections() {
    return front.connections();
  }

  /**
   * Delays every response by this time. The request takes effect at once: a client that stops
   * waiting has written nevertheless.
   */
  public FakeApiServer delay(Duration duration) {
    faults.delay(duration);
    return this;
  }

  /** Accepts requests without a response or an effect. */
  public FakeApiServer hang() {
    faults.hang();
    return this;
  }

  /**
   * Runs an action after the next matching request arrives and before it is served, like another
   * client's write between the program's read and its write. The action must use the helpers of
   * this class: the server waits for it and cannot respond to a client meanwhile.
   */
  public FakeApiServer beforeNext(String method, String resource, Runnable action) {
    faults.beforeNext(matching(method, resource), action);
    return this;
  }

  private static Predicate<ApiRequest> matching(String method, String resource) {
    return request ->
        request.method().equals(method) && resource.equals(request.target().resource());
  }

  // --- objects ----------------------------------------------------------------------------------

  public FakeApiServer createNamespace(String name) {
    return put(new NamespaceBuilder().withNewMetadata().withName(name).endMetadata().build());
  }

  /** Creates a headless Service without a selector, as users have it for these Endpoints. */
  public FakeApiServer createService(String name, String portName, int servicePort) {
    return createService(name, portName, servicePort, Map.of());
  }

  public FakeApiServer createService(
      String name, String portName, int servicePort, Map<String, String> selector) {
    return put(
        new ServiceBuilder()
            .withNewMetadata()
            .withName(name)
            .endMetadata()
            .withNewSpec()
            .withClusterIP("None")
            .withSelector(selector)
            .addNewPort()
            .withName(portName)
            .withPort(servicePort)
            .endPort()
            .endSpec()
            .build());
  }

  public Service service(String name) {
    return get(Service.class, namespace, name);
  }

  /** Returns the Endpoints, or null. */
  public Endpoints endpoints(String name) {
    return get(Endpoints.class, namespace, name);
  }

  /** Returns the ready addresses of all subsets, in their order; none without the Endpoints. */
  public List<String> addresses(String name) {
    Endpoints endpoints = endpoints(name);
    return endpoints == null
        ? List.of()
        : endpoints.getSubsets().stream()
            .flatMap(subset -> subset.getAddresses().stream().map(EndpointAddress::getIp))
            .toList();
  }

  /** Changes existing Endpoints. */
  public FakeApiServer editEndpoints(String name, Consumer<EndpointsBuilder> change) {
    EndpointsBuilder builder = new EndpointsBuilder(endpoints(name));
    change.accept(builder);
    return put(builder.build());
  }

  public FakeApiServer deleteEndpoints(String name) {
    return delete(Endpoints.class, namespace, name);
  }

  /** Returns the EndpointSlices of a Service, from any writer. */
  public List<EndpointSlice> slices(String service) {
    return list(EndpointSlice.class).stream()
        .filter(
            slice ->
                service.equals(slice.getMetadata().getLabels().get(EndpointsMirror.SERVICE_NAME)))
        .toList();
  }

  /** Returns the endpoints of a slice, whose list is null when it is empty. */
  public static List<Endpoint> endpoints(EndpointSlice slice) {
    return Objects.requireNonNullElse(slice.getEndpoints(), List.of());
  }

  /** Returns the addresses that clients of a Service see: the ready ones of all its slices. */
  public Set<String> visible(String service) {
    return slices(service).stream()
        .flatMap(slice -> endpoints(slice).stream())
        .filter(endpoint -> !Boolean.FALSE.equals(endpoint.getConditions().getReady()))
        .flatMap(endpoint -> endpoint.getAddresses().stream())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Returns the object, or null; the namespace is null for kinds that have none. */
  public <T extends HasMetadata> T get(Class<T> type, String inNamespace, String name) {
    ObjectNode found = dispatcher.find(collection(type, inNamespace) + "/" + name);
    return found == null ? null : Serialization.unmarshal(found.toString(), type);
  }

  /** Returns the objects of a kind in the server's namespace, in the order of their creation. */
  public <T extends HasMetadata> List<T> list(Class<T> type) {
    return dispatcher.list(collection(type, namespace)).stream()
        .map(JsonNode::toString)
        .map(json -> Serialization.unmarshal(json, type))
        .toList();
  }

  /** Creates or replaces an object of any kind, in the server's namespace if it names none. */
  public FakeApiServer put(HasMetadata object) {
    String given = object.getMetadata().getNamespace();
    dispatcher.store(collection(object.getClass(), given == null ? namespace : given), object);
    return this;
  }

  public FakeApiServer delete(Class<? extends HasMetadata> type, String inNamespace, String name) {
    dispatcher.remove(collection(type, inNamespace) + "/" + name);
    return this;
  }

  private static String collection(Class<? extends HasMetadata> type, String namespace) {
    String version = HasMetadata.getApiVersion(type);
    return (version.contains("/") ? "/apis/" : "/api/")
        + version
        + (Namespaced.class.isAssignableFrom(type) ? "/namespaces/" + namespace : "")
        + "/"
        + HasMetadata.getPlural(type);
  }

  /** Encodes a certificate as a kubeconfig does. */
  public static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  private static InetAddress loopback() {
    try {
      return InetAddress.getByAddress("127.0.0.1", new byte[] {127, 0, 0, 1});
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e);
    }
  }
}
