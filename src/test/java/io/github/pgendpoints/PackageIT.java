package io.github.pgendpoints;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.github.pgendpoints.support.Http;
import io.github.pgendpoints.support.PackagedProgram;
import io.github.pgendpoints.support.Program;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The folder that {@code mvn package} leaves, moved elsewhere and started as users start it. */
@Tag("long")
class PackageIT {
  /** A log line in text format. The program writes nothing else to standard error. */
  private static final String LOG_LINE = "\\S+T\\S+ (ERROR|WARN|INFO|DEBUG|TRACE) .+";

  @TempDir private static Path temporary;
  private static PackagedProgram packaged;
  private static PostgresCluster cluster;

  private final FakeApiServer api = new FakeApiServer("db", true).start();

  /** A run takes a second: no client inspects it, and its command line needs no parser. */
  private static final Pattern NEEDLESS_ONCE =
      Pattern.compile(
          " (org\\.jolokia|com\\.sun\\.net\\.httpserver|org\\.apache\\.camel\\.management\\.mbean"
              + "|javax\\.management\\.modelmbean|picocli)\\.");

  @BeforeAll
  static void installAndStartCluster() throws IOException, SQLException {
    packaged =
        PackagedProgram.original()
            .copiedTo(temporary.resolve("a folder with blanks"))
            .allowLoopback();
    Awaitility.setDefaultTimeout(Duration.ofSeconds(60));
    cluster = PostgresCluster.start();
    cluster.waitUntilStreaming();
  }

  @AfterAll
  static void stopCluster() {
    cluster.close();
    Awaitility.reset();
  }

  @BeforeEach
  void createServices() {
    api.createService("pg-rw", "postgresql", 5432);
    api.createService("pg-ro", "postgresql", 5432);
  }

  @AfterEach
  void stopApi() {
    api.close();
  }

  @Test
  void createsBothEndpointsThenLeavesThemAlone() {
    createThenLeaveAlone(System.getProperty("java.home"));
  }

  @Test
  void doesSoOnANewerJavaToo() {
    String newer = newerJava();
    assumeTrue(newer != null, "there is no Java 25 or newer beside the one that runs the tests");

    createThenLeaveAlone(newer);
  }

  private void createThenLeaveAlone(String javaHome) {
    try (Program program = program().with("JAVA_HOME", javaHome)) {
      assertEquals(0, program.run("--once"), program::err);
      assertLogLines(program);
    }
    assertEquals(List.of("127.0.0.1"), api.addresses("pg-rw"));
    assertEquals(List.of("127.0.0.2", "127.0.0.3"), api.addresses("pg-ro"));

    api.clearRequests();
    try (Program again = program().with("JAVA_HOME", javaHome)) {
      assertEquals(0, again.run("--once"), again::err);
    }
    assertEquals(List.of(), api.writes());
  }

  @Test
  void trainsInPlace(@TempDir Path folder) throws Exception {
    trains(System.getProperty("java.home"), folder);
  }

  @Test
  void trainsInPlaceOnANewerJavaToo(@TempDir Path folder) throws Exception {
    String newer = newerJava();
    assumeTrue(newer != null, "there is no Java 25 or newer beside the one that runs the tests");

    trains(newer, folder);
  }

  /** An archive makes the start faster. If it is unusable, the program must still start. */
  private void trains(String javaHome, Path folder) throws Exception {
    PackagedProgram here = packaged.copiedTo(folder.resolve("trained"));
    train(here, javaHome);
    Path archive;
    try (Stream<Path> files = Files.list(here.home().resolve("archive"))) {
      List<Path> all = files.toList();
      assertEquals(1, all.size(), all::toString);
      archive = all.get(0);
    }
    List<String> loaded = loadedByOneCycle(here, javaHome, folder);
    List<String> fromJars =
        loaded.stream().filter(line -> line.contains(" source: file:")).toList();
    assertTrue(fromJars.size() < 30, fromJars::toString);
    assertEquals(List.of(), loaded.stream().filter(NEEDLESS_ONCE.asPredicate()).toList());

    interruptTraining(here, javaHome);
    assertTrue(Files.exists(archive), "the one before is gone");

    PackagedProgram moved = new PackagedProgram(Files.move(here.home(), folder.resolve("moved")));
    archive = moved.home().resolve("archive").resolve(archive.getFileName());
    runsSilently(moved, javaHome);
    // As unusable as after an in-place update of java.
    Files.setPosixFilePermissions(archive, PosixFilePermissions.fromString("rw-r--r--"));
    try (FileChannel file = FileChannel.open(archive, StandardOpenOption.WRITE)) {
      file.truncate(file.size() / 2);
    }
    runsSilently(moved, javaHome);
    Files.writeString(archive, "broken");
    runsSilently(moved, javaHome);
    train(moved, javaHome);
    assertTrue(Files.size(archive) > 1 << 20);
  }

  private static void train(PackagedProgram here, String javaHome) {
    try (Program training = here.program().with("JAVA_HOME", javaHome)) {
      assertEquals(0, training.start("--train").exitCode(300), training::err);
      assertEquals("", training.out() + training.err());
    }
  }

  /**
   * Terminates the process group, as Ctrl-C does. It sends SIGTERM, because processes that a shell
   * starts in the background ignore SIGINT.
   */
  private static void interruptTraining(PackagedProgram here, String javaHome) throws Exception {
    try (Program training =
        new Program("setsid", here.launcher().toString(), "--train").with("JAVA_HOME", javaHome)) {
      training.start();
      await().until(() -> !leftByTraining(here).isEmpty());
      await()
          .until(
              () ->
                  training
                          .process()
                          .descendants()
                          .filter(p -> p.info().command().orElse("").endsWith("/java"))
                          .count()
                      == 2);
      new ProcessBuilder("kill", "-TERM", "--", "-" + training.process().pid()).start().waitFor();
      assertEquals(143, training.exitCode(60), training::err);
      assertEquals(List.of(), leftByTraining(here));
    }
  }

  private static List<Path> leftByTraining(PackagedProgram here) throws IOException {
    try (Stream<Path> files = Files.list(here.home().resolve("archive"))) {
      return files.filter(file -> file.getFileName().toString().startsWith("new.")).toList();
    }
  }

  private void runsSilently(PackagedProgram here, String javaHome) {
    try (Program program = configured(here.program()).with("JAVA_HOME", javaHome)) {
      assertEquals(0, program.run("--once"), program::err);
      assertEquals("", program.out());
      assertLogLines(program);
    }
  }

  /** Returns the loaded classes and their sources, from a run as in a pod that publishes. */
  private List<String> loadedByOneCycle(PackagedProgram here, String javaHome, Path account)
      throws IOException {
    Path log = here.home().resolve("loaded.txt");
    try (Program program =
        configured(here.program())
            .with("JAVA_HOME", javaHome)
            .with("KUBECONFIG", null)
            .with("NAMESPACE", "db")
            .with("KUBERNETES_MASTER", api.url())
            .with(
                "KUBERNETES_AUTH_SERVICEACCOUNT_TOKEN",
                Files.writeString(account.resolve("token"), "fake-token").toString())
            .with("JDK_JAVA_OPTIONS", "\"-Xlog:class+load:file=" + log + "\"")) {
      assertEquals(0, program.run("--once"), program::err);
    }
    assertEquals(List.of("127.0.0.1"), api.addresses("pg-rw"));
    return Files.readAllLines(log);
  }

  @Test
  void showsADryRunAndWritesNothing() {
    try (Program program = program()) {
      assertEquals(0, program.run("--dry-run"), program::err);
      assertTrue(program.out().contains("+ 127.0.0.1:" + cluster.port()), program::out);
    }
    assertEquals(List.of(), api.writes());
  }

  /** The memory of a pod is enough to query the manager, but not to run a second one. */
  @Test
  void asksTheManagerThatRunsForTheStatus() {
    String port = String.valueOf(Http.freePort());
    try (Program manager = program().with("MANAGEMENT_PORT", port).start()) {
      await().until(() -> manager.err().contains("pg-ro created"));
      try (Program status = program().with("MANAGEMENT_PORT", port)) {
        assertEquals(
            0, status.with("JDK_JAVA_OPTIONS", "-Xlog:class+load").run("status"), status.err());
        assertTrue(status.out().contains("\nFound by the running manager "), status.out());
        List<String> needless =
            status
                .out()
                .lines()
                .filter(
                    line ->
                        line.matches(
                            ".* (org\\.apache\\.camel|org\\.postgresql\\.(jdbc\\.Pg|core\\.v3)|picocli|io\\.fabric8)\\..*"))
                .toList();
        assertEquals(List.of(), needless);
      }
      try (Program status = program()) {
        assertEquals(0, status.run("status"), status.err());
        assertTrue(status.out().contains("\nProbed by this command at "), status.out());
      }
    }
  }

  @Test
  void refusesATopologyWithoutAPrimary() {
    try (Program program = program().with("PG_NODES", "127.0.0.2,127.0.0.3")) {
      assertEquals(1, program.run("--once"));
      assertTrue(program.err().contains(" ERROR no primary"), program::err);
      assertLogLines(program);
    }
    assertEquals(List.of(), api.writes());
  }

  @Test
  void publishesEachServerBehindAName(@TempDir Path folder) throws IOException {
    Path hosts = folder.resolve("hosts");
    Files.writeString(hosts, "127.0.0.1 db.example\n127.0.0.2 db.example\n127.0.0.3 db.example\n");
    try (Program program = named(hosts)) {
      assertEquals(0, program.run("--once"), program::err);
    }
    assertEquals(List.of("127.0.0.1"), api.addresses("pg-rw"));
    assertEquals(List.of("127.0.0.2", "127.0.0.3"), api.addresses("pg-ro"));

    Files.writeString(hosts, "127.0.0.1 another.example\n");
    try (Program program = named(hosts)) {
      assertEquals(1, program.run("--once"), program::err);
      assertTrue(program.err().contains("db.example is UNKNOWN"), program::err);
    }
    assertEquals(List.of("127.0.0.1"), api.addresses("pg-rw"));
    assertEquals(List.of("127.0.0.2", "127.0.0.3"), api.addresses("pg-ro"));
  }

  /** Returns the program with one name in PG_NODES, which the file resolves. */
  private Program named(Path hosts) {
    return program()
        .with("PG_NODES", "db.example")
        .with("JDK_JAVA_OPTIONS", "-Djdk.net.hosts.file=" + hosts);
  }

  @Test
  void reportsAllFaultsOfTheSettingsAtOnce() {
    try (Program program =
        program()
            .with("PGPORT", "0")
            .with("PG_NODES", "a,,b")
            .with("PGSSLMODE", "on")
            .with("LOG_FORMAT", "xml")
            .with("PGPASSWORD_FILE", "/none")) {
      assertEquals(2, program.run());
      assertEquals(5, program.err().lines().count(), program::err);
      assertLogLines(program);
    }
  }

  @Test
  void reportsThatTheApiCannotBeReached() {
    api.stop();
    try (Program program = program()) {
      assertEquals(3, program.run("--once"));
      assertTrue(
          program.err().contains("the Kubernetes API at 127.0.0.1:" + api.port()), program::err);
      assertLogLines(program);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "'token: [sekret', is not a valid kubeconfig",
    "'sekret', is not a valid kubeconfig",
    "'token: sekret', does not define its current context",
    "'', does not define its current context"
  })
  void reportsAFaultOfAKubeconfigWithoutItsContent(
      String contents, String what, @TempDir Path folder) throws IOException {
    Path kubeconfig = Files.writeString(folder.resolve("config"), contents);
    try (Program program = program().with("KUBECONFIG", kubeconfig.toString())) {
      assertEquals(2, program.run("--once"));
      assertEquals(1, program.err().lines().count(), program::err);
      assertTrue(program.err().contains("KUBECONFIG='" + kubeconfig + "' " + what), program::err);
      assertFalse(program.err().contains("sekret"), program::err);
    }
  }

  @Test
  void takesSeveralKubeconfigsAsKubectlDoes(@TempDir Path folder) {
    Path kubeconfig = api.kubeconfig(folder.resolve("config"));
    try (Program program = program().with("KUBECONFIG", "/none:" + kubeconfig)) {
      assertEquals(0, program.run("--once"), program::err);
    }
    assertEquals(List.of("127.0.0.1"), api.addresses("pg-rw"));
  }

  @Test
  void reportsThatItFindsNoApi() {
    try (Program program = program().with("KUBECONFIG", null)) {
      assertEquals(2, program.run("--once"));
      assertTrue(program.err().contains(" ERROR KUBECONFIG is not set"), program::err);
      assertLogLines(program);
    }
  }

  @Test
  void stopsDuringProbeOfFrozenNode() {
    PostgresServer standby = cluster.standbys().get(0);
    standby.freeze();
    try (Program program = program().with("PGCONNECT_TIMEOUT", "30").start()) {
      await().until(() -> api.calls().size() >= 2);
      // Both Endpoints are read: the program now probes the nodes, and one never responds.
      await()
          .until(
              () ->
                  cluster
                      .primary()
                      .sql(
                          "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'postgres-endpoint-manager'")
                      .equals("1"));

      // The signal must reach java, not a shell before it.
      assertTrue(program.process().info().command().orElseThrow().endsWith("/java"));
      assertEquals(143, program.terminate().exitCode(5), program::err);

      assertLogLines(program);
      assertEquals(List.of(), api.writes());
    } finally {
      standby.thaw();
    }
  }

  @Test
  void waitsForAnApiThatIsAbsentAtTheStart() {
    api.stop();
    try (Program program = program().start()) {
      await().until(() -> program.err().contains("cannot be reached"));
      api.start();
      await().until(() -> api.endpoints("pg-ro") != null);

      assertEquals(143, program.terminate().exitCode(5), program::err);

      assertEquals(1, program.err().split("cannot be reached", -1).length - 2, program::err);
      assertLogLines(program);
    }
  }

  @Test
  void usesPodNamespaceAndRereadsToken(@TempDir Path account) throws IOException {
    Path token = Files.writeString(account.resolve("token"), "first");
    Path namespace = Files.writeString(account.resolve("namespace"), "db");
    api.requireToken("first");
    try (Program program =
        program()
            .with("KUBECONFIG", null)
            .with("KUBERNETES_MASTER", api.url())
            .with("KUBERNETES_AUTH_SERVICEACCOUNT_TOKEN", token.toString())
            .with("JDK_JAVA_OPTIONS", "-Dkubenamespace='" + namespace + "'")
            .start()) {
      await().until(() -> api.endpoints("pg-ro") != null);

      api.requireToken("second");
      Files.writeString(token, "second");
      api.editEndpoints("pg-rw", EndpointsBuilder::withSubsets);

      await().until(() -> api.addresses("pg-rw").equals(List.of("127.0.0.1")));
      assertFalse(program.err().contains("(401)"), program::err);
    }
  }

  @Test
  void startsByAChainOfSymlinksFromAnyFolder(@TempDir Path elsewhere) throws IOException {
    Path folder = Files.createDirectories(elsewhere.resolve("a b/c"));
    Path absolute = Files.createSymbolicLink(folder.resolve("absolute"), packaged.launcher());
    Files.createSymbolicLink(elsewhere.resolve("relative"), Path.of("a b/c/absolute"));
    Path chain = Files.createSymbolicLink(folder.resolve("chain"), Path.of("../../relative"));
    Path bin = Files.createSymbolicLink(elsewhere.resolve("bin"), packaged.home().resolve("bin"));
    for (Path link :
        List.of(absolute, chain, bin.resolve("postgres-endpoint-manager"), Path.of("./chain"))) {
      try (Program program = new Program(link.toString()).in(folder)) {
        assertEquals(0, program.run("--version"), program::err);
        assertTrue(program.out().matches("postgres-endpoint-manager \\d+\\.\\d+\\.\\d+.*\n"));
      }
    }
    // The program also finds its routes through the symlinks.
    try (Program program = configured(new Program("sh", "chain")).in(folder)) {
      assertEquals(0, program.run("--once"), program::err);
    }
  }

  @Test
  void takesRoutesAsAConfigMapMountsThem(@TempDir Path pod) throws IOException {
    PackagedProgram mounted = packaged.copiedTo(pod.resolve("home"));
    Path routes = mounted.home().resolve("routes");
    // Like the kubelet: the files in a hidden folder, a link to it, and a link to each file.
    Path data = Files.createDirectory(pod.resolve("..2026_11_24"));
    try (Stream<Path> files = Files.list(routes)) {
      for (Path file : files.toList()) {
        Files.move(file, data.resolve(file.getFileName()));
      }
    }
    Files.move(data, routes.resolve(data.getFileName()));
    Files.createSymbolicLink(routes.resolve("..data"), data.getFileName());
    try (Stream<Path> files = Files.list(routes.resolve("..data"))) {
      for (Path file : files.toList()) {
        Files.createSymbolicLink(
            routes.resolve(file.getFileName()), Path.of("..data").resolve(file.getFileName()));
      }
    }
    try (Program program = configured(mounted.program())) {
      assertEquals(0, program.run("--once"), program::err);
    }
    assertEquals(List.of("127.0.0.1"), api.addresses("pg-rw"));
  }

  /** Camel looks up such beans once, before it loads the routes. */
  @Test
  void reportsThatNoRouteRunsTheCycles(@TempDir Path pod) throws IOException {
    PackagedProgram without = packaged.copiedTo(pod.resolve("home"));
    Path routes = without.home().resolve("routes");
    Files.delete(routes.resolve("10-cycle.camel.yaml"));
    try (Program program = configured(without.program())) {
      assertEquals(2, program.run("--once"), program::err);
      String said = "ERROR cannot start: no route in %s has the timer #ticks";
      assertTrue(program.err().contains(said.formatted(routes)), program::err);
    }
  }

  @Test
  void setsCamelUpByTheBeansOfARouteFile(@TempDir Path pod) throws IOException {
    PackagedProgram extended = packaged.copiedTo(pod.resolve("home"));
    Files.writeString(
        extended.home().resolve("routes/70-own.camel.yaml"),
        """
        - beans:
            - name: ids
              type: org.apache.camel.support.SimpleUuidGenerator
        - route:
            id: own
            from:
              uri: timer:own
              parameters:
                delay: 0
                repeatCount: 1
              steps:
                - log: "exchange <${exchangeId}>"
        """);
    try (Program program = configured(extended.program())) {
      program.start();
      await().until(() -> program.err().contains("exchange <"));
      assertTrue(program.err().matches("(?s).*exchange <\\d+>.*"), program::err);
    }
  }

  @Test
  void takesJarsOfTheUserLastOnTheClassPath(@TempDir Path pod) throws IOException {
    PackagedProgram extended = packaged.copiedTo(pod.resolve("home"));
    Path alert = extended.home().resolve("routes/50-alert.camel.yaml");
    Files.writeString(
        alert,
        Files.readString(alert)
            + """
            - route:
                id: extra
                from:
                  uri: of-a-user:extra
                  steps:
                    - log:
                        message: "extra"
            """);
    try (Program without = configured(extended.program())) {
      assertEquals(2, without.run("--once"), without::err);
      assertTrue(without.err().contains("of-a-user"), without::err);
    }
    Path services = Path.of("META-INF/services/org/apache/camel/component");
    jar(
        Files.createDirectory(extended.home().resolve("ext")).resolve("of a user.jar"),
        Map.of(
            services.resolve("of-a-user").toString(),
            "class=org.apache.camel.component.direct.DirectComponent",
            // A JAR of a user must not replace files of lib/ by accident.
            services.resolve("direct").toString(),
            "class=none",
            "sql/probe.sql",
            "none"));
    try (Program program = configured(extended.program())) {
      assertEquals(0, program.run("--once"), program::err);
      assertLogLines(program);
    }
  }

  @Test
  void takesJavaFromThePathWhenJavaHomeIsNotSet() {
    String path = System.getProperty("java.home") + "/bin:/usr/bin:/bin";
    for (String unset : new String[] {null, ""}) {
      try (Program program = packaged.program().with("JAVA_HOME", unset).with("PATH", path)) {
        assertEquals(0, program.run("--version"), program::err);
      }
    }
  }

  @Test
  void reportsThatItFindsNoJava(@TempDir Path empty) {
    assertRefused("JAVA_HOME is '" + empty + "'", empty.toString(), System.getenv("PATH"));
    assertRefused("found no java", null, empty.toString());
  }

  @ParameterizedTest
  @CsvSource({"1.8.0_402, true", "11.0.2, true", "16, true", "11.0.2, false"})
  void reportsThatJavaIsTooOld(String version, boolean hasReleaseFile, @TempDir Path old)
      throws IOException {
    String line =
        hasReleaseFile ? "exit 1" : "echo 'openjdk version \"" + version + "\" 2019-01-15' >&2";
    script(old.resolve("bin/java"), line);
    if (hasReleaseFile) {
      Files.writeString(
          old.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"" + version + "\"\n");
    }
    assertRefused("is " + version, old.toString(), System.getenv("PATH"));
  }

  @Test
  void reportsThatJavaDoesNotWork(@TempDir Path broken) throws IOException {
    script(broken.resolve("bin/java"), "exit 126");
    assertRefused("does not work", broken.toString(), System.getenv("PATH"));
  }

  /** Early compilation costs memory in a single cycle, but saves CPU time in continuous mode. */
  @Test
  void compilesSoonerWhereItStays() {
    String show = "-XX:+PrintFlagsFinal";
    assertEquals("3.0", scaling(program().with("JDK_JAVA_OPTIONS", show), "--once"));
    assertEquals("0.3", scaling(program().with("JDK_JAVA_OPTIONS", show)));
    show += " -XX:CompileThresholdScaling=0.7";
    assertEquals("0.7", scaling(program().with("JDK_JAVA_OPTIONS", show)));
  }

  private static String scaling(Program program, String... arguments) {
    Pattern shown = Pattern.compile(" CompileThresholdScaling += (\\d+\\.\\d)");
    try (program) {
      program.start(arguments);
      await().until(() -> shown.matcher(program.out()).find());
      return shown.matcher(program.out()).results().findFirst().orElseThrow().group(1);
    }
  }

  @Test
  void obeysTheOptionsOfTheEnvironmentOverItsOwn() {
    try (Program program =
        program()
            .with(
                "JDK_JAVA_OPTIONS", "-Dpostgres-endpoint-manager.allow-loopback=false -Da='b c'")) {
      assertEquals(2, program.run("--once"), program::err);
      assertTrue(program.err().contains("loopback"), program::err);
    }
  }

  @Test
  void logsOneJsonObjectALine() throws IOException {
    try (Program program =
        program().with("LOG_FORMAT", "json").with("PGUSER", "a \"b\"\n\\c\u001b")) {
      assertEquals(1, program.run("--once"), program::err);
      List<String> lines = program.err().lines().toList();
      assertFalse(lines.isEmpty());
      for (String line : lines) {
        JsonNode event = new ObjectMapper().readTree(line);
        assertTrue(Set.of("INFO", "WARN", "ERROR").contains(event.get("level").asText("")), line);
        assertFalse(event.get("formattedMessage").asText().isEmpty(), line);
      }
    }
    try (Program program = program().with("LOG_FORMAT", "json").with("PGPORT", "x")) {
      assertEquals(2, program.run("--none"));
      assertNotNull(new ObjectMapper().readTree(program.err()).get("formattedMessage"));
    }
  }

  @ParameterizedTest
  @CsvSource({"INFO, text", "TRACE, text", "TRACE, json"})
  void revealsNoPassword(String level, String format) throws IOException {
    String password = "sekret-of-the-test";
    try (Program program =
        program()
            .with("LOG_LEVEL", level)
            .with("LOG_FORMAT", format)
            .with("PGPASSWORD", password)
            .start()) {
      await().until(() -> program.err().contains("nothing is written"));
      String commandLine = Files.readString(procCommandLine(program.process()));
      program.terminate().exitCode(5);

      assertTrue(commandLine.contains("io.github.pgendpoints.Application"), commandLine);
      assertFalse((commandLine + program.out() + program.err()).contains(password));
      assertFalse((commandLine + program.out() + program.err()).contains("fake-token"));
    }
  }

  @Test
  void holdsTheJarsOfTheClassPathAndNoOther() throws IOException {
    Set<String> jars = new TreeSet<>();
    try (Stream<Path> lib = Files.list(packaged.home().resolve("lib"))) {
      lib.map(jar -> jar.getFileName().toString()).forEach(jars::add);
    }
    try (JarFile ours =
        new JarFile(packaged.home().resolve("lib/postgres-endpoint-manager.jar").toFile())) {
      Set<String> expected =
          new TreeSet<>(
              Arrays.asList(
                  ours.getManifest()
                      .getMainAttributes()
                      .getValue(Attributes.Name.CLASS_PATH)
                      .split(" ")));
      expected.add("postgres-endpoint-manager.jar");
      assertEquals(expected, jars);
      assertEquals(
          List.of(), ours.stream().filter(entry -> entry.getName().contains("training")).toList());
    }
    assertEquals(
        List.of(),
        jars.stream()
            .filter(
                jar -> jar.matches("(junit|awaitility|mockwebserver|log4j|slf4j-simple|.*-test).*"))
            .toList());
  }

  @Test
  void listsItsJarsInTheSbom() throws IOException {
    Path sbom = packaged.home().resolve("postgres-endpoint-manager.cdx.json");
    assumeTrue(Files.exists(sbom), "a build with -o writes no SBOM");
    JsonNode components = new ObjectMapper().readTree(sbom.toFile()).get("components");
    Set<String> listed = new TreeSet<>();
    components.forEach(
        component ->
            listed.add(
                component.get("name").asText() + "-" + component.get("version").asText() + ".jar"));
    try (Stream<Path> lib = Files.list(packaged.home().resolve("lib"))) {
      assertEquals(
          lib.map(jar -> jar.getFileName().toString())
              .filter(jar -> !jar.equals("postgres-endpoint-manager.jar"))
              .collect(Collectors.toCollection(TreeSet::new)),
          listed);
    }
  }

  private Program program() {
    return configured(packaged.program());
  }

  private Program configured(Program program) {
    return PackagedProgram.configured(
            program, cluster, api.kubeconfig(temporary.resolve("kubeconfig")))
        .with("MANAGEMENT_PORT", "off")
        .with("JOLOKIA_PORT", "off");
  }

  private static void assertRefused(String why, String javaHome, String path) {
    try (Program program =
        new Program("/bin/sh", packaged.launcher().toString())
            .with("JAVA_HOME", javaHome)
            .with("PATH", path)) {
      assertEquals(2, program.run("--version"));
      assertEquals(1, program.err().lines().count(), program::err);
      assertTrue(program.err().contains(why), program::err);
    }
  }

  private static void assertLogLines(Program program) {
    program
        .err()
        .lines()
        .forEach(
            line -> assertTrue(line.matches(LOG_LINE), () -> "not a line of the log: " + line));
  }

  /** Returns a Java 25 or newer of JAVA_HOME_*, or beside the Java of the tests; null if none. */
  static String newerJava() {
    Path mine = Path.of(System.getProperty("java.home"));
    try (Stream<Path> siblings = Files.list(mine.getParent())) {
      return Stream.concat(
              System.getenv().entrySet().stream()
                  .filter(variable -> variable.getKey().startsWith("JAVA_HOME_"))
                  .map(variable -> Path.of(variable.getValue())),
              siblings)
          .filter(home -> !home.equals(mine) && Files.isExecutable(home.resolve("bin/java")))
          .filter(home -> featureVersion(home) >= 25)
          .map(Path::toString)
          .findFirst()
          .orElse(null);
    } catch (IOException e) {
      return null;
    }
  }

  private static int featureVersion(Path javaHome) {
    try (Stream<String> release = Files.lines(javaHome.resolve("release"))) {
      return release
          .filter(line -> line.matches("JAVA_VERSION=\"\\d+.*"))
          .map(line -> line.replaceAll("^JAVA_VERSION=\"(\\d+).*", "$1"))
          .mapToInt(Integer::parseInt)
          .findFirst()
          .orElse(0);
    } catch (IOException e) {
      return 0;
    }
  }

  private static Path procCommandLine(Process process) {
    Path file = Path.of("/proc", String.valueOf(process.pid()), "cmdline");
    assumeTrue(Files.isReadable(file), "there is no /proc");
    return file;
  }

  private static void script(Path file, String line) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, "#!/bin/sh\n" + line + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static void jar(Path file, Map<String, String> entries) throws IOException {
    try (JarOutputStream jar = new JarOutputStream(Files.newOutputStream(file))) {
      for (Map.Entry<String, String> entry : entries.entrySet()) {
        jar.putNextEntry(new JarEntry(entry.getKey()));
        jar.write(entry.getValue().getBytes(StandardCharsets.UTF_8));
      }
    }
  }
}
