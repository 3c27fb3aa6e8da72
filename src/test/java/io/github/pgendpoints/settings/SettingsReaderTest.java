package io.github.pgendpoints.settings;

import static io.github.pgendpoints.settings.SettingsCatalog.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import io.github.pgendpoints.postgres.PostgresSettings;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeList;
import io.github.pgendpoints.topology.Quorum;
import io.github.pgendpoints.topology.ReadOnlyRules;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.jdbc.SslMode;

class SettingsReaderTest {
  private static final Node NODE = Node.of("10.0.0.1", 5432, 5432);

  private static final String CERTIFICATE = "src/test/resources/tls/client.crt";
  private static final String KEY = "src/test/resources/tls/client.key";

  @TempDir private Path folder;

  @Test
  void keepsTheOriginalsDefaults() throws Exception {
    Settings settings = read(Map.of());

    assertEquals(List.of(), settings.nodes());
    assertNull(settings.get(NAMESPACE));
    assertEquals("postgres-external-rw", settings.rwService());
    assertEquals("postgres-external-ro", settings.roService());
    assertEquals(Duration.ofSeconds(1), settings.get(PROBE_INTERVAL));
    assertEquals(Duration.ofMillis(100), settings.unstableProbeInterval());
    assertEquals(Duration.ofSeconds(5), settings.get(KUBERNETES_TIMEOUT));
    assertNull(settings.get(SettingsCatalog.KUBECONFIG));
    assertEquals("postgresql", settings.get(PORT_NAME));
    assertEquals(Level.INFO, settings.get(LOG_LEVEL));
    assertFalse(settings.allowLoopback());
    assertEquals(List.of(), settings.warnings());
    PostgresSettings postgres = settings.postgres();
    assertEquals("repmgr", postgres.user());
    assertEquals("repmgr", postgres.database());
    assertEquals(5432, postgres.port());
    assertEquals(SslMode.PREFER, postgres.sslMode());
    assertEquals(Duration.ofSeconds(5), postgres.connectTimeout());
    assertEquals(Duration.ofSeconds(1), postgres.tcpConnectTimeout());
    assertEquals(64, postgres.maxWorkers());
  }

  @Test
  void countsAnEmptyVariableAsUnset() throws Exception {
    Map<String, String> empty = new HashMap<>();
    for (Setting<?> setting : SettingsReference.all().toList()) {
      empty.put(setting.name(), "");
      setting.aliases().forEach(alias -> empty.put(alias, ""));
    }

    Settings settings = read(empty);

    assertEquals(5432, settings.postgres().port());
    assertEquals("postgres-external-rw", settings.rwService());
  }

  @Test
  void readsAliasesWhereTheNameItselfIsNotSet() throws Exception {
    assertEquals(6000, read(Map.of("PG_PORT", "6000")).postgres().port());
    assertEquals(6001, read(Map.of("PG_PORT", "6000", "PGPORT", "6001")).postgres().port());
    assertEquals(6000, read(Map.of("PG_PORT", "6000", "PGPORT", "")).postgres().port());
    assertEquals("db", read(Map.of("DEFAULT_NAMESPACE", "db")).get(NAMESPACE));
    assertEquals("x-rw", read(Map.of("HELM_RELEASE", "x")).rwService());
    assertEquals("y-ro", read(Map.of("HELM_RELEASE", "x", "CHART_NAME", "y")).roService());
  }

  /** Kubernetes sets these variables in pods of a namespace with a Service of a matching name. */
  @ParameterizedTest
  @ValueSource(strings = {"PG_PORT", "MANAGEMENT_PORT", "JOLOKIA_PORT", "ALERT_MAIL_PORT"})
  void ignoresTheLinkToAService(String name) throws Exception {
    for (String link : List.of("tcp://10.96.0.12:5432", "udp://10.0.0.1:53", "tcp://[fd00::1]:1")) {
      Settings settings = read(Map.of(name, link));

      assertEquals(5432, settings.postgres().port());
      assertEquals("unset", settings.sinks().get("ALERT_MAIL_PORT", "unset"));
    }
  }

  @Test
  void givesNodesWithoutAPortTheClustersOwn() throws Exception {
    Settings settings = read(Map.of("PG_NODES", "10.0.0.1, 10.0.0.2:5432", "PGPORT", "6000"));

    assertEquals("10.0.0.1,10.0.0.2:5432", NodeList.text(settings.nodes()));
    assertEquals(6000, settings.nodes().get(0).port());
  }

  @Test
  void doesNotAskMoreSeldomWhileTheClusterIsUnstable() throws Exception {
    Settings quick = read(Map.of("PROBE_INTERVAL", "50ms"));
    assertEquals(Duration.ofMillis(50), quick.unstableProbeInterval());

    Settings slow = read(Map.of("PROBE_INTERVAL", "1m", "PROBE_INTERVAL_UNSTABLE", "30s"));
    assertEquals(Duration.ofSeconds(30), slow.unstableProbeInterval());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "PGPORT | 1",
        "PGPORT | 65535",
        "PGCONNECT_TIMEOUT | 60",
        "TCP_CONNECT_TIMEOUT | 0.05",
        "TCP_CONNECT_TIMEOUT | 2",
        "MAX_WORKERS | 1000",
        "PROBE_INTERVAL | 50ms",
        "PROBE_INTERVAL | 1h",
        "PROBE_INTERVAL | 2",
        "PROBE_INTERVAL | 0.5s",
        "PROBE_INTERVAL_UNSTABLE | 20ms",
        "PROBE_INTERVAL_UNSTABLE | 1s",
        "KUBERNETES_TIMEOUT | 10s",
        "RW_SERVICE | a",
        "JOLOKIA_PORT | off",
        "JOLOKIA_PORT | 1",
        "LOG_FORMAT | JSON",
        "PGSSLMODE | require",
        "PGREQUIREAUTH | scram-sha-256",
        "PGREQUIREAUTH | scram-sha-256,none",
        "PGREQUIREAUTH | !password,!md5",
        "MIN_REACHABLE_NODES | 1000",
        "MIN_REACHABLE_NODES | Majority",
        "ON_SPLIT_BRAIN | hold",
        "ON_SPLIT_BRAIN | clear",
        "RO_MAX_LAG | off",
        "RO_MAX_LAG | 1",
        "RO_REQUIRE_STREAMING | False",
        "RO_FALLBACK | primary",
        "STANDBY_FAILURES | 100",
        "STANDBY_SUCCESSES | 1",
        "PAUSED | true",
      })
  void takesWhatIsAllowed(String name, String value) throws Exception {
    read(Map.of(name, value));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "PGPORT | 0",
        "PGPORT | 65536",
        "PGPORT | five",
        "PG_PORT | 5432x",
        "PGCONNECT_TIMEOUT | 0",
        "PGCONNECT_TIMEOUT | 61",
        "PGCONNECT_TIMEOUT | 1.5",
        "TCP_CONNECT_TIMEOUT | 0",
        "TCP_CONNECT_TIMEOUT | 61",
        "TCP_CONNECT_TIMEOUT | 1s",
        "MAX_WORKERS | 0",
        "MAX_WORKERS | 1001",
        "PROBE_INTERVAL | 0",
        "PROBE_INTERVAL | 49ms",
        "PROBE_INTERVAL | 2h",
        "PROBE_INTERVAL | soon",
        "PROBE_INTERVAL_UNSTABLE | 19ms",
        "PROBE_INTERVAL_UNSTABLE | 1001ms",
        "KUBERNETES_TIMEOUT | 11s",
        "RW_SERVICE | 1a",
        "RW_SERVICE | Postgres",
        "RO_SERVICE | a-",
        "RO_SERVICE | aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "CHART_NAME | x_y",
        "NAMESPACE | a.b",
        "PORT_NAME | Postgres",
        "LOG_LEVEL | LOUD",
        "JOLOKIA_PORT | 0",
        "JOLOKIA_PORT | 8080",
        "LOG_FORMAT | xml",
        "PGSSLMODE | verify",
        "PGSSLMODE | REQUIRE",
        "PGREQUIREAUTH | scram",
        "PGREQUIREAUTH | md5,!password",
        "PGREQUIREAUTH | md5,md5",
        "PGREQUIREAUTH | ,",
        "PGREQUIREAUTH | !password,!md5,!gss,!sspi,!scram-sha-256,!none",
        "PGREQUIREAUTH | password",
        "PGSSLROOTCERT | /nowhere",
        "KUBECONFIG | /nowhere",
        "PG_NODES | 127.0.0.1",
        "MIN_REACHABLE_NODES | 0",
        "MIN_REACHABLE_NODES | most",
        "ON_SPLIT_BRAIN | stop",
        "RO_MAX_LAG | 0",
        "RO_MAX_LAG | 0MB",
        "RO_MAX_LAG | 16 MiB",
        "RO_MAX_LAG | -1",
        "RO_MAX_LAG | 999999999999TB",
        "RO_REQUIRE_STREAMING | yes",
        "RO_FALLBACK | standby",
        "STANDBY_FAILURES | 0",
        "STANDBY_SUCCESSES | 101",
        "PAUSED | ture",
      })
  void namesTheVariableItsValueAndWhatIsAllowed(String name, String value) {
    List<String> faults = faults(Map.of(name, value));

    assertEquals(1, faults.size(), faults.toString());
    assertTrue(faults.get(0).startsWith(name + "='" + value + "'"), faults.get(0));
    assertTrue(faults.get(0).contains("; allowed: "), faults.get(0));
  }

  @ParameterizedTest
  @CsvSource({
    "1,1",
    "512B,512",
    "8kB,8192",
    "16MB,16777216",
    "1 GB,1073741824",
    "2tb,2199023255552"
  })
  void readsBytesWithPostgresqlsUnits(String text, long bytes) throws Exception {
    assertEquals(bytes, read(Map.of("RO_MAX_LAG", text)).readOnlyRules().maxLag());
  }

  @Test
  void disablesAPortThatIsOff() throws Exception {
    Settings settings = read(Map.of("MANAGEMENT_PORT", "off", "JOLOKIA_PORT", "Off"));

    assertNull(settings.get(MANAGEMENT_PORT));
    assertNull(settings.get(JOLOKIA_PORT));
  }

  @Test
  void readsTheSecondOfTwoWordsAsTrue() throws Exception {
    Settings settings =
        read(
            Map.of(
                "PUBLISH", "EndpointSlices", "ON_SPLIT_BRAIN", "clear", "RO_FALLBACK", "primary"));

    assertTrue(settings.get(PUBLISH));
    assertTrue(settings.get(ON_SPLIT_BRAIN));
    assertTrue(settings.readOnlyRules().fallBackToPrimary());
  }

  @Test
  void refusesAQuorumThatTheListedNodesCannotMeet() throws Exception {
    List<String> faults =
        faults(Map.of("PG_NODES", "10.0.0.1,10.0.0.2", "MIN_REACHABLE_NODES", "3"));

    assertEquals(
        "MIN_REACHABLE_NODES='3' can never be met by 2 nodes; allowed: "
            + SettingsCatalog.MIN_REACHABLE_NODES.allowed(),
        faults.get(0));
    assertEquals(
        new Quorum(2),
        read(Map.of("PG_NODES", "db1,db2", "MIN_REACHABLE_NODES", "2")).get(MIN_REACHABLE_NODES));
  }

  @Test
  void holdsAndReadsFromEveryStandbyByDefault() throws Exception {
    Settings settings = read(Map.of());

    assertEquals(new Quorum(1), settings.get(MIN_REACHABLE_NODES));
    assertFalse(settings.get(ON_SPLIT_BRAIN));
    assertEquals(new ReadOnlyRules(null, false, false), settings.readOnlyRules());
    assertEquals(2, settings.get(STANDBY_FAILURES));
    assertEquals(1, settings.get(STANDBY_SUCCESSES));
    assertFalse(settings.get(PAUSED));
  }

  @Test
  void reportsEverythingAtOnce() {
    List<String> faults =
        faults(Map.of("PGPORT", "x", "PG_NODES", "a,,b", "MAX_WORKERS", "0", "LOG_FORMAT", "xml"));

    assertEquals(4, faults.size(), faults.toString());
    assertTrue(
        faults.contains("LOG_FORMAT='xml'; allowed: text or json"), "in Java's words: " + faults);
  }

  @Test
  void reportsEachFaultOnOneLine() {
    List<String> faults = faults(Map.of("PGPORT", "54\n32\u001b[31m"));

    assertEquals(List.of("PGPORT='54?32?[31m'; allowed: 1 to 65535"), faults);
  }

  @Test
  void wantsTwoServices() {
    assertEquals(
        List.of(
            "RO_SERVICE='x' is also the RW_SERVICE; allowed: a DNS-1035 label, other than"
                + " RW_SERVICE"),
        faults(Map.of("RW_SERVICE", "x", "RO_SERVICE", "x")));
  }

  @Test
  void rereadsThePasswordFileAndPrefersIt() throws Exception {
    Path file = Files.writeString(folder.resolve("password"), "first\n");
    Settings settings =
        read(Map.of("PGPASSWORD_FILE", file.toString(), "PGPASSWORD", "from-environment"));

    assertEquals("first", settings.postgres().password().of(NODE, settings.postgres()));
    Files.writeString(file, "second");
    assertEquals("second", settings.postgres().password().of(NODE, settings.postgres()));
    assertEquals(
        List.of("PGPASSWORD_FILE and PGPASSWORD are set: PGPASSWORD_FILE takes precedence"),
        settings.warnings());
  }

  @Test
  void takesThePasswordVariableBeforeThePasswordFileOfLibpq() throws Exception {
    Path passfile = Files.writeString(folder.resolve("pgpass"), "*:*:*:*:other\n");
    Settings settings = read(Map.of("PGPASSWORD", "hunter2", "PGPASSFILE", passfile.toString()));

    assertEquals("hunter2", settings.postgres().password().of(NODE, settings.postgres()));
    assertEquals(
        List.of("PGPASSWORD and PGPASSFILE are set: PGPASSWORD takes precedence"),
        settings.warnings());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " \n"})
  void refusesAnEmptyPasswordFile(String content) throws Exception {
    Path file = Files.writeString(folder.resolve("password"), content);

    assertEquals(
        List.of("PGPASSWORD_FILE is empty; allowed: a readable file that is not empty"),
        faults(Map.of("PGPASSWORD_FILE", file.toString())));
  }

  @Test
  void refusesAPasswordFileThatIsNoText() throws Exception {
    Path file = Files.write(folder.resolve("password"), new byte[] {'a', (byte) 0xE4, 'b'});

    assertEquals(
        List.of(
            "PGPASSWORD_FILE cannot be read as UTF-8; allowed: a readable file that is not empty"),
        faults(Map.of("PGPASSWORD_FILE", file.toString())));
  }

  @Test
  void refusesAPlaceholderOfTheManifests() throws Exception {
    Path file = Files.writeString(folder.resolve("password"), "REPLACE-ME\n");

    List<String> faults =
        faults(
            Map.of(
                "PG_NODES", "10.0.0.1,REPLACE-ME",
                "PGUSER", "REPLACE-ME",
                "PGPASSWORD_FILE", file.toString()));

    assertEquals(3, faults.size(), faults.toString());
    assertTrue(faults.get(0).startsWith("PG_NODES='10.0.0.1,REPLACE-ME' is a placeholder"));
    assertTrue(faults.get(1).startsWith("PGUSER='REPLACE-ME' is a placeholder"));
    assertTrue(faults.get(2).startsWith("PGPASSWORD_FILE holds a placeholder"));
  }

  @Test
  void neverShowsAPassword() throws Exception {
    List<String> faults =
        faults(
            Map.of("PGPASSWORD_FILE", "hunter2", "PGPASSWORD", "hunter2REPLACE-ME", "PGPORT", "x"));
    Settings settings = read(Map.of("PGPASSWORD", "hunter2"));

    assertFalse(faults.toString().contains("hunter2"), faults.toString());
    assertFalse(settings.toString().contains("hunter2"), settings.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"PGPASSFILE", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY", "KUBECONFIG"})
  void showsWhatAFileSettingHoldsOnlyWhereItIsAPath(String name) {
    for (String secret :
        List.of(
            "-----BEGIN PRIVATE KEY-----\nhunter2\n",
            "/hunter2\nhunter2",
            "*:*:*:*:hunter2",
            "/" + "hunter2".repeat(50))) {
      List<String> faults = faults(Map.of(name, secret));
      assertFalse(faults.toString().contains("hunter2"), faults.toString());
      assertTrue(faults.get(0).startsWith(name + " is not a readable file; "), faults.toString());
    }
    for (String path : List.of("/nowhere/x", "./x", "../x", "~/x")) {
      List<String> faults = faults(Map.of(name, path));
      assertTrue(faults.get(0).startsWith(name + "='" + path + "' is not a"), faults.toString());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "postgres://repmgr:hunter2@db1:5432/repmgr",
        "postgres://repmgr:hunter2@db1,postgres://repmgr:hunter2@db2",
        "postgres://repmgr:p@ss,hunter2@db1",
        "repmgr:hunter2@db1",
        "postgres://db1/repmgr?password=hunter2",
        "host=db1 password=hunter2 user=repmgr",
        "host=db1 password='p hunter2'",
        "http://db1/hooks/hunter2",
        "db1?pw=hunter2",
        "db1 user=repmgr passwd=hunter2",
        "password=hunter2//x@db1",
      })
  void showsNoPasswordOfAUrl(String url) {
    List<String> faults = faults(Map.of("PG_NODES", url, "NAMESPACE", url));

    assertFalse(faults.toString().contains("hunter2"), faults.toString());
    assertTrue(faults.get(0).contains("an item is a URL or a connection string"));
  }

  @ParameterizedTest
  @CsvSource({
    "db1:5432:*:repmgr:hunter2, db1:***",
    "[::1]:5432:*:repmgr:hunter2, [:***",
    "'db0,db1:5432:*:repmgr:h,hunter2', 'db0,db1:***'",
    "db1:5432:*:repmgr:hunter2@hunter2, ***",
    "'2001:db8::1,db1:5432:x:y:hunter2', '2001:db8::1,db1:***'",
    "db1:repmgr:hunter2, db1:***",
  })
  void showsOfALineOfAPassFileItsHost(String line, String shown) {
    List<String> faults = faults(Map.of("PG_NODES", line, "NAMESPACE", line));

    assertFalse(faults.toString().contains("hunter2"), faults.toString());
    assertTrue(faults.get(0).startsWith("PG_NODES='" + shown + "' (an item "), faults.get(0));
  }

  @ParameterizedTest
  @CsvSource({"repmgr:hunter2, repmgr:***", "'db1:5432,repmgr:hunter2', 'db1:5432,repmgr:***'"})
  void showsOfAUserWithAPasswordTheUser(String nodes, String shown) {
    assertEquals(
        "PG_NODES='%s' ('repmgr:***': its port is not 1 to 65535); allowed: %s"
            .formatted(shown, SettingsCatalog.PG_NODES.allowed()),
        faults(Map.of("PG_NODES", nodes)).get(0));
  }

  @Test
  void showsAListOfFilesWithItsColons() {
    String fault = faults(Map.of("KUBECONFIG", "/nowhere/a:/nowhere/b:/c:/d")).get(0);
    assertTrue(fault.startsWith("KUBECONFIG='/nowhere/a:/nowhere/b:/c:/d' is not"), fault);
  }

  @ParameterizedTest
  @ValueSource(strings = {"2001:db8::1:99999", "[2001:db8::1]:99999", "db1:0,db2:0,db3:0,db4:0"})
  void showsAddressesWithTheirColons(String nodes) {
    String fault = faults(Map.of("PG_NODES", nodes)).get(0);
    assertTrue(fault.startsWith("PG_NODES='" + nodes + "' ("), fault);
  }

  @Test
  void readsNamesOfSinksWithBlanks() throws Exception {
    assertEquals(
        Set.of("slack", "webhook"),
        read(Map.of("ALERT_SINKS", " webhook , Slack ")).get(ALERT_SINKS));
  }

  @ParameterizedTest
  @CsvSource({
    "https://hooks.slack.com/services/T/B/hunter2, https://hooks.slack.com/***",
    "http://h?token=hunter2, http://h?***"
  })
  void showsOfAUrlWhereItPoints(String url, String shown) {
    String fault = faults(Map.of("ALERT_SINKS", url)).get(0);
    assertTrue(fault.startsWith("ALERT_SINKS='" + shown + "'; allowed: "), fault);
  }

  @Test
  void leavesWhereTheUrlPoints() {
    assertEquals(
        List.of(
            "PG_NODES='postgres://***@db1:5432/***'"
                + " (an item is a URL or a connection string); allowed: "
                + SettingsCatalog.PG_NODES.allowed()),
        faults(Map.of("PG_NODES", "postgres://repmgr:hunter2@db1:5432/repmgr")));
  }

  @Test
  void refusesWhatTheLocaleHasMangled() {
    assertEquals(
        List.of(
            "PGUSER cannot be read in this locale; set LC_ALL=C.UTF-8",
            "PGPASSWORD cannot be read in this locale; set LC_ALL=C.UTF-8"),
        faults(Map.of("PGUSER", "r\uFFFD\uFFFDle", "PGPASSWORD", "hunter2\uFFFD")));
  }

  @Test
  void wantsCertificateAndKeyTogether() {
    assertEquals(
        List.of(
            "PGSSLCERT is set without PGSSLKEY; allowed: a readable PEM file, set together with"
                + " PGSSLKEY"),
        faults(Map.of("PGSSLCERT", CERTIFICATE)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"PGSSLROOTCERT", "PGSSLCERT"})
  void wantsCertificatesInAFileOfCertificates(String name) throws Exception {
    Path file = folder.resolve("x.crt");
    for (String content : List.of("hunter2", Files.readString(Path.of(KEY)))) {
      Files.writeString(file, content);
      assertTrue(
          faults(Map.of(name, file.toString(), "PGSSLKEY", KEY))
              .get(0)
              .startsWith(
                  "%s='%s' holds no certificate (PEM); allowed: a readable PEM file"
                      .formatted(name, file)));
    }
    Files.writeString(file, " \n");
    assertTrue(
        faults(Map.of(name, file.toString(), "PGSSLKEY", KEY))
            .get(0)
            .startsWith("%s='%s' is empty; allowed: ".formatted(name, file)));
  }

  @Test
  void wantsAKeyOfTheKindOfTheCertificate() throws Exception {
    Path file = folder.resolve("x.key");
    String key = Files.readString(Path.of(KEY));
    for (String content : List.of("hunter2", key.replace(" PRIVATE", " EC PRIVATE"))) {
      Files.writeString(file, content);
      assertEquals(
          List.of(
              "PGSSLKEY='%s' holds no unencrypted PKCS #8 key for the certificate; allowed: a readable file, set together with PGSSLCERT"
                  .formatted(file)),
          faults(Map.of("PGSSLCERT", CERTIFICATE, "PGSSLKEY", file.toString())));
    }
    Files.writeString(file, "");
    assertTrue(
        faults(Map.of("PGSSLCERT", CERTIFICATE, "PGSSLKEY", file.toString()))
            .get(0)
            .startsWith("PGSSLKEY='%s' is empty; allowed: ".formatted(file)));
  }

  @Test
  void takesAKeyAsPemOrDerWithItsCertificate() throws Exception {
    String base64 = Files.readString(Path.of(KEY)).replaceAll("-----.*-----|\\s", "");
    Path der = Files.write(folder.resolve("x.pk8"), Base64.getDecoder().decode(base64));

    for (String key : List.of(KEY, der.toString())) {
      read(Map.of("PGSSLCERT", CERTIFICATE, "PGSSLKEY", key, "PGSSLROOTCERT", CERTIFICATE));
    }
  }

  @Test
  void warnsOfANodeListedTwice() throws Exception {
    assertEquals(
        List.of("PG_NODES lists db1 more than once"),
        read(Map.of("PG_NODES", "db1,db2,DB1:5432")).warnings());
  }

  private static Settings read(Map<String, String> environment) throws InvalidSettingsException {
    return SettingsReader.read(environment, false);
  }

  private static List<String> faults(Map<String, String> environment) {
    return assertThrows(InvalidSettingsException.class, () -> read(environment)).faults();
  }
}
