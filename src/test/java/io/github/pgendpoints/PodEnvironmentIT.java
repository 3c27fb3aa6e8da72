package io.github.pgendpoints;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.github.pgendpoints.support.ForwardProxy;
import io.github.pgendpoints.support.PackagedProgram;
import io.github.pgendpoints.support.Program;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.kubernetes.Tls;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The packaged program in environments that pods really have. Add a row for a new case: the
 * variables, the exit code, and what standard error holds.
 */
@Tag("long")
class PodEnvironmentIT {
  private static final Pattern FAULT =
      Pattern.compile(" ERROR |WARN postgres-endpoint-manager|WARN .*Kubernetes");

  @TempDir private static Path folder;
  private static PackagedProgram packaged;
  private static PostgresCluster cluster;
  private static FakeApiServer api;

  /**
   * One run.
   *
   * @param variables in addition to those of a working program
   * @param exitCode of the run
   * @param err a regular expression that standard error contains; empty for no fault
   */
  private record Row(Map<String, String> variables, int exitCode, String err) {
    @Override
    public String toString() {
      return variables.toString();
    }
  }

  /**
   * @param variables each as NAME=VALUE
   */
  private static Row row(int exitCode, String err, String... variables) {
    Map<String, String> map = new LinkedHashMap<>();
    for (String variable : variables) {
      String[] parts = variable.split("=", 2);
      map.put(parts[0], parts[1]);
    }
    return new Row(map, exitCode, err);
  }

  @BeforeAll
  static void startClusterAndApi() throws IOException, SQLException {
    packaged = PackagedProgram.original().copiedTo(folder.resolve("home")).allowLoopback();
    Awaitility.setDefaultTimeout(Duration.ofSeconds(60));
    cluster = PostgresCluster.start();
    cluster.waitUntilStreaming();
    api = new FakeApiServer("db", true).withTls().start();
    api.createService("pg-rw", "postgresql", 5432);
    api.createService("pg-ro", "postgresql", 5432);
  }

  @AfterAll
  static void stop() {
    api.close();
    cluster.close();
    Awaitility.reset();
  }

  // --- Services and time zone -------------------------------------------------------------------

  static Stream<Row> plainVariables() {
    return Stream.of(
        // Service links.
        row(0, "", "PG_PORT=tcp://10.96.0.12:5432", "PG_SERVICE_HOST=10.96.0.12"),
        row(0, "", "PG_PORT=tcp://[fd00::12]:5432", "PG_PORT_5432_TCP_ADDR=fd00::12"),
        row(0, "", "MANAGEMENT_PORT=udp://10.96.0.13:53", "JOLOKIA_PORT=sctp://10.96.0.14:80"),
        row(0, "", "CAMEL_MAIN_PORT=tcp://10.96.0.15:80", "CAMEL_MAIN_SERVICE_HOST=10.96.0.15"),
        row(0, "", "CAMEL_SERVER_PORT=tcp://10.96.0.15:80", "CAMEL_HEALTH_PORT=tcp://10.0.0.1:80"),
        row(2, "PG_PORT='tcp:5432'", "PGPORT=", "PG_PORT=tcp:5432"),
        row(2, "MANAGEMENT_PORT='http://10.96.0.13:80'", "MANAGEMENT_PORT=http://10.96.0.13:80"),
        // Time zones.
        row(0, "^[^+]*Z INFO ", "TZ=Asia/Calcutta"),
        row(0, "Z INFO ", "TZ=No/Such", "JDK_JAVA_OPTIONS=-Duser.timezone=Asia/Tokyo"));
  }

  @ParameterizedTest
  @MethodSource("plainVariables")
  void runsACycle(Row row) {
    runs(row, javaHome(), "--once");
  }

  /** Not every server knows every name of a time zone. */
  @Test
  void namesNoTimeZoneToAServer() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        Program program = program()) {
      CompletableFuture<String> startUp = CompletableFuture.supplyAsync(() -> startUpOf(server));
      program
          .with("TZ", "Asia/Calcutta")
          .with("PG_NODES", "127.0.0.1:" + server.getLocalPort())
          .with("PGSSLMODE", "disable")
          .run("--once");
      String packet = startUp.get(10, TimeUnit.SECONDS);
      assertTrue(packet.contains("user\0"), packet);
      assertFalse(packet.contains("Calcutta"), packet);
    }
  }

  /** Returns the first packet of the first client that sends one. */
  private static String startUpOf(ServerSocket server) {
    while (true) {
      try (Socket client = server.accept()) {
        byte[] packet = client.getInputStream().readNBytes(64);
        if (packet.length > 8) {
          return new String(packet, StandardCharsets.ISO_8859_1)
              + new String(
                  client.getInputStream().readNBytes(client.getInputStream().available()),
                  StandardCharsets.ISO_8859_1);
        }
      } catch (IOException e) {
        return "";
      }
    }
  }

  // --- proxies ----------------------------------------------------------------------------------

  /** OPEN, LOCKED, HUNG, and DEAD stand for ports of proxies, API for that of the API server. */
  static Stream<Row> proxies() {
    String reached = "^[^+]*Z INFO ";
    String cannot =
        "the Kubernetes API at 127\\.0\\.0\\.1:[0-9]+ cannot be reached through the proxy ";
    String dead = "HTTPS_PROXY=http://127.0.0.1:DEAD";
    return Stream.of(
        row(0, reached, "HTTPS_PROXY=http://127.0.0.1:OPEN"),
        row(0, reached, "https_proxy=127.0.0.1:OPEN/"),
        row(0, reached, "ALL_PROXY=http://127.0.0.1:OPEN"),
        row(0, reached, "HTTPS_PROXY=http://svc:s3cret@127.0.0.1:OPEN/"),
        row(0, "", "HTTPS_PROXY=", "HTTP_PROXY=http://127.0.0.1:DEAD"),
        row(0, "", dead, "NO_PROXY=localhost, 127.0.0.1"),
        row(0, "", dead, "no_proxy=localhost 127.0.0.1"),
        row(0, "", dead, "NO_PROXY=*.svc,.cluster.local,127.0.0.0/8"),
        row(0, "", dead, "NO_PROXY=127.0.0.1:API"),
        row(0, "", dead, "NO_PROXY=*"),
        row(0, "", dead, "NO_PROXY=[::1], under_score ,;,127.0.0.1"),
        row(0, "", "HTTPS_PROXY=ftp://x", "NO_PROXY=*"),
        row(3, cannot + "http://127\\.0\\.0\\.1:[0-9]+ of HTTPS_PROXY: Connection refused", dead),
        row(
            3,
            cannot + "http://127\\.0\\.0\\.1:[0-9]+ of all_proxy: Connection refused",
            "all_proxy=http://svc:s3cret@127.0.0.1:DEAD",
            "NO_PROXY=127.0.0.1:1"),
        row(
            3,
            cannot + "http://no-such-proxy\\.invalid:80 of HTTPS_PROXY: unknown host",
            "HTTPS_PROXY=http://svc:s3cret@no-such-proxy.invalid"),
        row(3, cannot + ".*407", "HTTPS_PROXY=http://svc:s3cret@127.0.0.1:LOCKED"),
        row(3, cannot + ".*407", "HTTPS_PROXY=http://127.0.0.1:LOCKED"),
        row(
            3,
            cannot + ".*no answer within 1 s",
            "HTTPS_PROXY=http://127.0.0.1:HUNG",
            "KUBERNETES_TIMEOUT=1s"),
        row(
            2,
            "^\\S+ ERROR HTTPS_PROXY does not name a proxy; allowed: .*$",
            "HTTPS_PROXY=ftp://svc:s3cret@proxy.example"));
  }

  @ParameterizedTest
  @MethodSource("proxies")
  void reachesTheApi(Row row) throws IOException {
    try (ForwardProxy open = ForwardProxy.start();
        ForwardProxy locked = ForwardProxy.refusing("407 Proxy Authentication Required");
        ForwardProxy hung = ForwardProxy.hanging()) {
      int port = freePort();
      Map<String, String> variables = new LinkedHashMap<>();
      row.variables()
          .forEach(
              (name, value) ->
                  variables.put(
                      name,
                      value
                          .replace("OPEN", String.valueOf(open.port()))
                          .replace("LOCKED", String.valueOf(locked.port()))
                          .replace("HUNG", String.valueOf(hung.port()))
                          .replace("DEAD", String.valueOf(port))
                          .replace("API", String.valueOf(api.port()))));
      runs(new Row(variables, row.exitCode(), row.err()), javaHome(), "--once");
      boolean leads = row.variables().values().stream().anyMatch(value -> value.contains("OPEN"));
      assertEquals(leads, !open.requests().isEmpty());
    }
  }

  @Test
  void leadsThroughAProxyOverTls() throws Exception {
    Tls tls = Tls.selfMade();
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    trusted.setCertificateEntry(
        "proxy",
        CertificateFactory.getInstance("X.509")
            .generateCertificate(
                new ByteArrayInputStream(tls.certificate().getBytes(StandardCharsets.UTF_8))));
    Path store = folder.resolve("trusted.p12");
    try (OutputStream out = Files.newOutputStream(store)) {
      trusted.store(out, "changeit".toCharArray());
    }
    try (ForwardProxy proxy = ForwardProxy.start(tls.sockets());
        Program trusting = program();
        Program other = program()) {
      String url = "https://svc:s3cret@127.0.0.1:" + proxy.port();
      trusting
          .with("HTTPS_PROXY", url)
          .with(
              "JDK_JAVA_OPTIONS",
              "-Djavax.net.ssl.trustStore=%s -Djavax.net.ssl.trustStorePassword=changeit"
                  .formatted(store));
      assertEquals(0, trusting.run("--once"), trusting::err);
      assertTrue(
          proxy.requests().get(0).contains("Proxy-Authorization: Basic "),
          proxy.requests()::toString);
      assertEquals(3, other.with("HTTPS_PROXY", url).run("--once"), other::err);
      assertTrue(other.err().contains("through the proxy https://127.0.0.1:"), other::err);
    }
  }

  /** Rotates the files as the kubelet does: it replaces a link to a folder. */
  @Test
  void goesOnWithANewTokenAndANewAuthority() throws IOException {
    Path volume = Files.createDirectory(folder.resolve("account"));
    mount(volume, "..1", "first");
    for (String name : List.of("ca.crt", "token", "namespace")) {
      Files.createSymbolicLink(volume.resolve(name), Path.of("..data").resolve(name));
    }
    try (Program program =
        program()
            .with("KUBECONFIG", null)
            .with("KUBERNETES_SERVICE_HOST", "127.0.0.1")
            .with("KUBERNETES_SERVICE_PORT", String.valueOf(api.port()))
            .with("KUBERNETES_CERTS_CA_FILE", volume.resolve("ca.crt").toString())
            .with("KUBERNETES_AUTH_SERVICEACCOUNT_TOKEN", volume.resolve("token").toString())
            .with("NAMESPACE", "db")
            .with("LEASE_NAME", "rotation")
            .with("MANAGEMENT_PORT", "off")
            .with("JOLOKIA_PORT", "off")
            .start()) {
      await().until(() -> api.watches() > 0 && program.err().contains("topology verified"));

      api.stop().withTls().start().requireToken("second");
      await().until(() -> program.err().contains(" cannot be trusted: "));
      mount(volume, "..2", "second");
      api.editEndpoints("pg-rw", EndpointsBuilder::withSubsets);

      await().until(() -> !api.endpoints("pg-rw").getSubsets().isEmpty() && api.watches() > 0);
      await().until(() -> program.err().contains("over: "));
    }
  }

  /** By default, the client library logs each attempt with a stack trace. */
  @Test
  void logsOnceThatItMayNotWatch() throws IOException {
    api.deny("watch", "endpoints");
    try (Program program =
        program().with("MANAGEMENT_PORT", "off").with("JOLOKIA_PORT", "off").start()) {
      await().until(() -> program.err().contains("the Role does not grant list, watch"));

      assertEquals(
          1,
          Pattern.compile("(?i).*watch.*").matcher(program.err()).results().count(),
          program::err);
    } finally {
      api.heal();
    }
  }

  private static void mount(Path volume, String version, String token) throws IOException {
    Path data = Files.createDirectory(volume.resolve(version));
    api.requireToken(token).caCertificate(data.resolve("ca.crt"));
    Files.writeString(data.resolve("token"), token);
    Files.writeString(data.resolve("namespace"), "db");
    Path link = Files.createSymbolicLink(volume.resolve("..data_tmp"), data.getFileName());
    Files.move(link, volume.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
  }

  // --- options of Java --------------------------------------------------------------------------

  static Stream<Row> optionsOfJava() {
    String left =
        "WARN postgres-endpoint-manager: java does not start with .*starts without them: ";
    return Stream.of(
        row(0, "", "JAVA_TOOL_OPTIONS=-XX:+UseG1GC"),
        row(0, "", "JDK_JAVA_OPTIONS=-XX:+UseParallelGC"),
        row(0, "", "_JAVA_OPTIONS=-XX:+UseG1GC"),
        row(0, "", "JAVA_TOOL_OPTIONS=-Xmx64m -Da='b c'\n-Dd=\"e\""),
        row(0, "", "JAVA_TOOL_OPTIONS=  "),
        row(0, left + "-XX:\\+UseParallelGC$", "JDK_JAVA_OPTIONS=-XX:+UseG1GC -XX:+UseParallelGC"),
        row(
            0,
            left + "-XX:\\+UseConcMarkSweepGC, -XX:NoSuch$",
            "JAVA_TOOL_OPTIONS=-XX:+UseConcMarkSweepGC",
            "JDK_JAVA_OPTIONS=-XX:NoSuch=s3cret -Da=b"),
        row(0, left + "-javaagent:/none\\.jar$", "JAVA_TOOL_OPTIONS=-javaagent:/none.jar=a=s3cret"),
        row(0, left + "-agentlib:none$", "JDK_JAVA_OPTIONS=-agentlib:none"),
        row(0, left + "-Xmx8m$", "JDK_JAVA_OPTIONS=-Xmx8m"),
        row(0, left + "word, @/none, -version$", "JDK_JAVA_OPTIONS=word @/none -version"),
        row(0, left + "-Xshare:dump$", "_JAVA_OPTIONS=-Xshare:dump"),
        row(
            0,
            left + "-XX:AOTCache$",
            "JAVA_TOOL_OPTIONS=-XX:SharedArchiveFile=/none -XX:AOTCache=/none"),
        row(
            0,
            left + "-Xnone$",
            "JDK_JAVA_OPTIONS=--add-opens java.base/java.lang=ALL-UNNAMED -Xnone"),
        row(0, left + "-Xnone$", "JDK_JAVA_OPTIONS=-Xnone -Da='not closed"));
  }

  @ParameterizedTest
  @MethodSource("optionsOfJava")
  void starts(Row row) {
    runs(row, javaHome(), "--version");
  }

  @ParameterizedTest
  @MethodSource("optionsOfJava")
  void startsOnANewerJavaToo(Row row) {
    String newer = PackageIT.newerJava();
    assumeTrue(newer != null, "there is no Java 25 or newer beside the one that runs the tests");

    runs(row, newer, "--version");
  }

  /** The launcher first tries the options. That trial must not wait for the debugger. */
  @Test
  void doesNotWaitForADebuggerBeforeTheStart() throws IOException {
    int port = freePort();
    String agent =
        "-agentlib:jdwp=transport=dt_socket,server=y,suspend=y,address=127.0.0.1:" + port;
    try (Program program = program().with("JAVA_TOOL_OPTIONS", agent).start("--version")) {
      await().until(() -> program.out().contains("Listening for"));
      assertFalse(program.out().contains("postgres-endpoint-manager 0"), program.out());
    }
  }

  // --- runs -------------------------------------------------------------------------------------

  private void runs(Row row, String javaHome, String argument) {
    try (Program program = program().with("JAVA_HOME", javaHome)) {
      row.variables().forEach(program::with);
      assertEquals(row.exitCode(), program.run(argument), program::err);
      String err = program.err();
      if (row.err().isEmpty()) {
        assertFalse(FAULT.matcher(err).find(), err);
      } else {
        assertTrue(Pattern.compile(row.err(), Pattern.MULTILINE).matcher(err).find(), err);
      }
      assertFalse(
          err.lines()
              .filter(line -> !line.startsWith("NOTE: "))
              .anyMatch(l -> l.contains("s3cret")),
          err);
    }
  }

  private static Program program() {
    return packaged.program(cluster, api.kubeconfig(folder.resolve("kubeconfig")));
  }

  private static int freePort() throws IOException {
    try (ServerSocket free = new ServerSocket(0)) {
      return free.getLocalPort();
    }
  }

  private static String javaHome() {
    return System.getProperty("java.home");
  }
}
