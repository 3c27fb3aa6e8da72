package io.github.pgendpoints.soak;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.github.pgendpoints.publish.Annotations;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.kubernetes.RawFault;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import io.github.pgendpoints.topology.Lsn;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The test environment: a cluster of three, a foreign server for each of their addresses, and the
 * API. It causes faults and repairs them, and records each action on a node in the {@link Truth}.
 */
final class World implements AutoCloseable {
  private static final Duration WATCH_LAG = Duration.ofMillis(500);
  static final String RW = "pg-rw";
  static final String RO = "pg-ro";

  static final String LEASE = "pg-lease";

  private static final Duration LEASE_AWAY = Duration.ofMillis(2500);
  private static final String WRONG_ADDRESS = "127.0.0.66";

  /** The condition of the server that belongs to an address, as the harness has set it. */
  private enum Condition {
    UP,
    DOWN,
    FROZEN,
    REPLACED
  }

  private static final class Place {
    private final PostgresServer own;
    private final PostgresServer foreign;
    private final List<Connection> hogs = new ArrayList<>();
    private volatile Condition condition = Condition.UP;

    /** The server that it streams from as a standby, if it can. */
    private PostgresServer upstream;

    private Place(PostgresServer own, PostgresServer foreign) {
      this.own = own;
      this.foreign = foreign;
    }

    @Override
    public String toString() {
      return own.host() + " " + condition + (hogs.isEmpty() ? "" : " without free connections");
    }
  }

  private final List<PostgresCluster> foreigners = new ArrayList<>();
  private final PostgresCluster cluster;
  private final FakeApiServer api = new FakeApiServer("db", true);
  private final Form form;
  private final Rights rights;
  private final List<Place> places = new ArrayList<>();
  private final Truth truth = new Truth();
  private final String systemIdentifier;
  private final AtomicInteger edits = new AtomicInteger();
  private final AtomicInteger leases = new AtomicInteger();
  private volatile boolean apiTroubled;
  private volatile boolean passwordIsWrong;
  private volatile Truth.Claim published;
  private boolean apiIsDown;

  World(Form form, Rights rights) throws SQLException {
    this.form = form;
    this.rights = rights;
    int port = 0;
    for (int i = 1; i <= 3; i++) {
      PostgresCluster foreign =
          PostgresCluster.start(
              new PostgresCluster.Options().standbys(0).addresses("127.0.0." + i).port(port));
      foreigners.add(foreign);
      port = foreign.port();
      foreign.primary().stop();
    }
    cluster =
        PostgresCluster.start(
            new PostgresCluster.Options()
                .port(port)
                .maxConnections(12)
                .settings("wal_keep_size = 64MB", "max_wal_size = 96MB", "min_wal_size = 32MB"));
    for (int i = 0; i < 3; i++) {
      places.add(new Place(cluster.servers().get(i), foreigners.get(i).primary()));
    }
    PostgresServer primary = cluster.primary();
    for (String grant : rights.grants(PostgresCluster.USER)) {
      primary.sql(grant);
    }
    truth.promoting(primary);
    truth.promoted(primary, primary.timeline(), Lsn.ZERO);
    truth.answers(primary);
    for (Place place : places) {
      if (place.own != primary) {
        truth.follows(place.own, truth.claim(primary).branch());
        place.upstream = primary;
      }
    }
    systemIdentifier = primary.sql("SELECT system_identifier FROM pg_control_system()");
    api.start();
    api.createService(RW, "postgresql", port);
    api.createService(RO, "postgresql", port);
  }

  PostgresCluster cluster() {
    return cluster;
  }

  FakeApiServer api() {
    return api;
  }

  Form form() {
    return form;
  }

  Rights rights() {
    return rights;
  }

  Truth truth() {
    return truth;
  }

  String systemIdentifier() {
    return systemIdentifier;
  }

  /** Returns a counter that grows before and after another writer's edit: odd during the edit. */
  int edits() {
    return edits.get();
  }

  boolean isApiTroubled() {
    return apiTroubled;
  }

  /** Returns a counter that grows before another replica takes the Lease and after its return. */
  int leases() {
    return leases.get();
  }

  /** Whether at least one of the Services' objects still stores the system identifier. */
  boolean isAnythingStored() {
    return annotation(RW, Annotations.SYSTEM_IDENTIFIER) != null
        || annotation(RO, Annotations.SYSTEM_IDENTIFIER) != null;
  }

  /** Returns the server of our cluster at an address; null if there is none. */
  PostgresServer serverAt(String host) {
    return places.stream()
        .map(place -> place.own)
        .filter(server -> server.host().equals(host))
        .findFirst()
        .orElse(null);
  }

  /** Returns the last published primary as the harness recorded it; null before the first. */
  Truth.Claim published() {
    return published;
  }

  void published(Truth.Claim claim) {
    published = claim;
  }

  /** Returns the addresses behind a Service. */
  List<String> addresses(String service) {
    HasMetadata object = form.of(api, service);
    return object == null ? List.of() : form.addresses(object);
  }

  String annotation(String service, String name) {
    HasMetadata object = form.of(api, service);
    return object == null ? null : object.getMetadata().getAnnotations().get(name);
  }

  /** Returns the version of the Endpoints of a Service, which each change raises. */
  String version(String service) {
    HasMetadata object = form.of(api, service);
    return object == null ? "none" : object.getMetadata().getResourceVersion();
  }

  /** Returns the number of sessions of the manager's role on our servers, which all must run. */
  int backends() throws SQLException {
    int backends = 0;
    for (Place place : places) {
      backends +=
          Integer.parseInt(
              place.own.sql(
                  "SELECT count(*) FROM pg_stat_activity WHERE usename = '"
                      + PostgresCluster.USER
                      + "'"));
    }
    return backends;
  }

  /** Returns a readable summary of the current state. */
  String describe() {
    return "nodes: %s; claims: %s; standbys: %s; %s %s, %s %s; timeline %s; password %s; API %s"
        .formatted(
            places,
            truth.claims(),
            places.stream()
                .filter(place -> truth.data(place.own) != null)
                .map(place -> place.own.host() + " with " + truth.data(place.own))
                .toList(),
            RW,
            addresses(RW),
            RO,
            addresses(RO),
            annotation(RW, Annotations.TIMELINE),
            passwordIsWrong ? "wrong" : "right",
            apiTroubled ? "in trouble" : "well");
  }

  // ---- faults

  /**
   * Causes a fault, where possible.
   *
   * @return what was done; null when the fault cannot happen now
   */
  String apply(Fault fault, Random random) throws SQLException {
    write(random);
    String done = inflict(fault, random);
    observe();
    return done;
  }

  private String inflict(Fault fault, Random random) throws SQLException {
    return switch (fault) {
      case KILL -> onPlace(random, Condition.UP, this::kill);
      case RESTART -> onPlace(random, Condition.UP, place -> restart(place, false));
      case CRASH -> onPlace(random, Condition.UP, place -> restart(place, true));
      case FREEZE -> onPlace(random, Condition.UP, this::freeze);
      case THAW -> onPlace(random, Condition.FROZEN, this::thaw);
      case RETURN -> onPlace(random, Condition.DOWN, this::start);
      case FAILOVER -> failOver(random);
      case STALE -> bringBackAlone();
      case APART -> promoteApart();
      case REJOIN -> rejoinWithoutRewind(random);
      case PROMOTE -> promoteAny(random);
      case PASSWORD -> spoilPassword();
      case CONNECTIONS -> onPlace(random, Condition.UP, this::hog);
      case TERMINATE -> terminate(random);
      case FOREIGN -> replace(random);
      case LEADER -> changeLeader(random);
      default -> onApi(fault, random);
    };
  }

  /** Writes WAL on about half of the running primaries, so that their branches diverge. */
  private void write(Random random) throws SQLException {
    for (Place place : primaries(Condition.UP)) {
      if (place.hogs.isEmpty() && random.nextBoolean()) {
        write(place.own, 1 + random.nextInt(200));
      }
    }
  }

  private static void write(PostgresServer primary, int messages) throws SQLException {
    primary.sql(
        "SELECT count(pg_logical_emit_message(false, 'soak', repeat('x', 100)))"
            + " FROM generate_series(1, "
            + messages
            + ")");
  }

  /** Records how far the running standbys have replayed WAL. */
  private void observe() throws SQLException {
    for (Place place : runningStandbys()) {
      truth.hasReplayed(place.own, Lsn.of(place.own.sql("SELECT pg_last_wal_replay_lsn()")));
    }
  }

  private interface Deed {
    void to(Place place) throws SQLException;
  }

  private String onPlace(Random random, Condition condition, Deed deed) throws SQLException {
    Place place = any(random, places(condition));
    if (place == null) {
      return null;
    }
    deed.to(place);
    return place.own.host();
  }

  private List<Place> places(Condition condition) {
    return places.stream().filter(place -> place.condition == condition).toList();
  }

  private static <T> T any(Random random, List<T> list) {
    return list.isEmpty() ? null : list.get(random.nextInt(list.size()));
  }

  private void kill(Place place) {
    truth.wavers(place.own);
    place.own.kill();
    truth.ended(place.own);
    place.condition = Condition.DOWN;
    freeHogs(place);
  }

  private void restart(Place place, boolean immediately) {
    truth.wavers(place.own);
    if (immediately) {
      place.own.stopImmediately();
    } else {
      place.own.stop();
    }
    truth.ended(place.own);
    freeHogs(place);
    start(place);
  }

  private void start(Place place) {
    truth.begins(place.own);
    place.condition = Condition.UP;
    place.own.start();
    answers(place);
  }

  /** Records that a server answers every client, unless our role cannot log in. */
  private void answers(Place place) {
    if (!passwordIsWrong && place.hogs.isEmpty()) {
      truth.answers(place.own);
    }
  }

  private void freeze(Place place) {
    truth.wavers(place.own);
    place.own.freeze();
    truth.ended(place.own);
    place.condition = Condition.FROZEN;
  }

  private void thaw(Place place) {
    truth.begins(place.own);
    place.own.thaw();
    place.condition = Condition.UP;
    answers(place);
  }

  private String failOver(Random random) throws SQLException {
    List<Place> primaries = primaries(Condition.UP);
    List<Place> all = runningStandbys();
    // With -Dsoak.settle=0, the first cycle may not have written yet.
    if (primaries.isEmpty() || passwordIsWrong || published == null) {
      return null;
    }
    Place lost = placeOf(rightful());
    List<Place> standbys =
        all.stream()
            .filter(standby -> lost.own == standby.upstream)
            .filter(standby -> !truth.data(standby.own).isOff(truth.claim(lost.own).branch()))
            .toList();
    if (lost.condition != Condition.UP || standbys.isEmpty() || standbys.size() < all.size()) {
      return null;
    }
    boolean frozen = random.nextInt(4) == 0;
    if (frozen) {
      freeze(lost);
    } else {
      kill(lost);
    }
    Place promoted = standbys.size() == 1 ? standbys.get(0) : placeOf(cluster.furthestStandby());
    promote(promoted);
    String followed = "";
    if (standbys.size() > 1 && random.nextInt(4) > 0) {
      Place other = standbys.get(0) == promoted ? standbys.get(1) : standbys.get(0);
      other.own.follow(promoted.own);
      other.upstream = promoted.own;
      truth.follows(other.own, truth.claim(promoted.own).branch());
      followed = ", which " + other.own.host() + " follows";
    }
    return "%s %s, %s promoted%s"
        .formatted(lost.own.host(), frozen ? "frozen" : "killed", promoted.own.host(), followed);
  }

  private List<Place> primaries(Condition condition) {
    return places(condition).stream().filter(place -> truth.claim(place.own) != null).toList();
  }

  /** Replaces the primary by an old one, which must not be believed though it is the only one. */
  private String bringBackAlone() {
    List<Place> current = primaries(Condition.UP);
    List<Place> former = primaries(Condition.DOWN);
    if (current.size() != 1 || former.isEmpty()) {
      return null;
    }
    kill(current.get(0));
    start(former.get(0));
    return "%s instead of %s".formatted(former.get(0).own.host(), current.get(0).own.host());
  }

  /**
   * Restarts an old primary as a standby without a rewind, as a careless operator does. If it has
   * WAL that no other server has, it cannot follow.
   */
  private String rejoinWithoutRewind(Random random) throws SQLException {
    Place led = placeOf(rightful());
    Place old =
        any(
            random,
            places.stream()
                .filter(place -> place != led && truth.claim(place.own) != null)
                .filter(place -> place.hogs.isEmpty())
                .filter(
                    place -> place.condition == Condition.UP || place.condition == Condition.DOWN)
                .toList());
    if (led.condition != Condition.UP || !led.hogs.isEmpty() || old == null) {
      return null;
    }
    // A standby of the old primary would change its branch with it, and Truth would miss that.
    if (places.stream()
        .anyMatch(place -> place.condition == Condition.UP && place.upstream == old.own)) {
      return null;
    }
    if (old.condition == Condition.DOWN && random.nextInt(4) > 0) {
      start(old);
    }
    if (old.condition == Condition.UP) {
      write(old.own, 200);
      truth.wavers(old.own);
      old.own.stop();
      truth.ended(old.own);
    }
    Truth.Branch branch = truth.claim(led.own).branch();
    truth.givesIn(old.own);
    old.upstream = led.own;
    old.own.rejoinWithoutRewind(led.own);
    old.condition = Condition.UP;
    truth.hasReplayed(old.own, Lsn.of(old.own.sql("SELECT pg_last_wal_replay_lsn()")));
    // It may already have replayed WAL of the branch that it follows.
    boolean off = truth.data(old.own).isOff(branch) && !receives(old.own, branch.timeline());
    if (!off) {
      truth.follows(old.own, branch);
    }
    return "%s as a standby of %s%s"
        .formatted(old.own.host(), led.own.host(), off ? ", which it cannot follow" : "");
  }

  /** Whether a standby receives WAL of a timeline. Beyond the begin of the timeline it does not. */
  private static boolean receives(PostgresServer standby, int timeline) throws SQLException {
    for (int i = 0; i < 10; i++) {
      String received = standby.sql("SELECT received_tli FROM pg_stat_wal_receiver");
      if (String.valueOf(timeline).equals(received)) {
        return true;
      }
      pause();
    }
    return false;
  }

  /** Kills the primary and promotes a standby, to the same timeline if that did not follow it. */
  private String promoteApart() throws SQLException {
    List<Place> current = primaries(Condition.UP);
    List<Place> standbys = runningStandbys();
    if (current.size() != 1 || standbys.isEmpty()) {
      return null;
    }
    kill(current.get(0));
    promote(standbys.get(0));
    return "%s instead of %s".formatted(standbys.get(0).own.host(), current.get(0).own.host());
  }

  private List<Place> runningStandbys() {
    return places(Condition.UP).stream()
        .filter(place -> truth.claim(place.own) == null && place.hogs.isEmpty())
        .toList();
  }

  private Place placeOf(PostgresServer server) {
    return places.stream().filter(place -> place.own == server).findFirst().orElseThrow();
  }

  private void promote(Place place) throws SQLException {
    truth.promoting(place.own);
    place.own.promote();
    int timeline = place.own.timeline();
    truth.promoted(place.own, timeline, beginOf(place.own, timeline));
    place.upstream = null;
    answers(place);
  }

  /** Returns where the last line of the history file ends its ancestor. */
  private static Lsn beginOf(PostgresServer server, int timeline) throws SQLException {
    String[] lines =
        server
            .sql("SELECT pg_read_file('pg_wal/%08X.history')".formatted(timeline))
            .strip()
            .split("\n");
    return Lsn.of(lines[lines.length - 1].split("\t")[1]);
  }

  private String promoteAny(Random random) throws SQLException {
    Place place = any(random, runningStandbys());
    if (place == null) {
      return null;
    }
    promote(place);
    return place.own.host();
  }

  /** Changes the password only on the server. Open sessions would still work, so it ends them. */
  private String spoilPassword() throws SQLException {
    List<Place> primaries = primaries(Condition.UP);
    if (primaries.size() != 1 || passwordIsWrong) {
      return null;
    }
    passwordIsWrong = true;
    places.forEach(place -> truth.wavers(place.own));
    primaries.get(0).own.sql("ALTER ROLE " + PostgresCluster.USER + " PASSWORD 'other'");
    for (Place place : places(Condition.UP)) {
      endSessions(place.own);
    }
    return "on " + primaries.get(0).own.host();
  }

  private static final String END_SESSIONS =
      "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '"
          + PostgresCluster.USER
          + "'";

  private static void endSessions(PostgresServer server) throws SQLException {
    server.sql(END_SESSIONS);
  }

  private void hog(Place place) throws SQLException {
    if (!place.hogs.isEmpty()) {
      return;
    }
    truth.wavers(place.own);
    // A superuser may also use the reserved connections.
    for (int i = 0; i < 10; i++) {
      try {
        place.hogs.add(place.own.connect());
      } catch (SQLException e) {
        break;
      }
    }
    if (place.hogs.size() > 1) {
      // No slot is left for another connection.
      try (Statement statement = place.hogs.get(0).createStatement()) {
        statement.execute(END_SESSIONS);
      }
    }
  }

  private static void freeHogs(Place place) {
    for (Connection hog : place.hogs) {
      try {
        hog.close();
      } catch (SQLException e) {
        // Its server is gone.
      }
    }
    place.hogs.clear();
  }

  private String terminate(Random random) throws SQLException {
    Place place = any(random, places(Condition.UP));
    if (place == null) {
      return null;
    }
    endSessions(place.own);
    return place.own.host();
  }

  /**
   * Starts a foreign server, unless nothing is published: the majority then decides our cluster.
   */
  private String replace(Random random) {
    if (annotation(RW, Annotations.SYSTEM_IDENTIFIER) == null) {
      return null;
    }
    List<Place> candidates = new ArrayList<>(places(Condition.UP));
    candidates.addAll(places(Condition.DOWN));
    Place place = any(random, candidates);
    if (place == null) {
      return null;
    }
    if (place.condition == Condition.UP) {
      kill(place);
    }
    place.condition = Condition.REPLACED;
    place.foreign.start();
    return place.own.host();
  }

  /**
   * Lets another replica take the Lease and give it back. In some of these terms, a node thaws that
   * the manager remembers as DOWN.
   */
  private String changeLeader(Random random) {
    if (apiTroubled || lease() == null) {
      return null;
    }
    Place frozen = random.nextInt(3) == 0 ? any(random, places(Condition.UP)) : null;
    if (frozen != null) {
      freeze(frozen);
      pause(Duration.ofMillis(1500));
    }
    leases.incrementAndGet();
    holdLease("another");
    pause(LEASE_AWAY);
    if (frozen != null) {
      thaw(frozen);
    }
    holdLease("");
    return frozen == null ? "" : "while " + frozen.own.host() + " was frozen";
  }

  /** Records that the manager leads again. */
  void leaderIsBack() {
    if (leases.get() % 2 != 0) {
      leases.incrementAndGet();
    }
  }

  private Lease lease() {
    return api.get(Lease.class, api.namespace(), LEASE);
  }

  private void holdLease(String holder) {
    api.put(
        new LeaseBuilder(lease())
            .editSpec()
            .withHolderIdentity(holder)
            .withRenewTime(ZonedDateTime.now(ZoneOffset.UTC))
            .endSpec()
            .build());
  }

  private String onApi(Fault fault, Random random) {
    int times = 1 + random.nextInt(6);
    switch (fault) {
      case FORBIDDEN -> {
        String read = form == Form.ENDPOINTS ? "get" : "list";
        trouble(api -> api.deny(random.nextInt(3) == 0 ? read : "patch", form.resource()));
        spoilReadWrite(random);
      }
      case CONFLICT -> {
        trouble(api -> api.fail(times, 409, "PATCH", form.resource()));
        spoilReadWrite(random);
      }
      case RIVAL -> {
        trouble(
            api -> {
              for (int i = 0; i < times; i++) {
                api.beforeNext("PATCH", form.resource(), () -> rival(random));
              }
            });
        spoilReadWrite(random);
      }
      case THROTTLED -> trouble(api -> api.failWithRetryAfter(1 + times / 4, 429, 1));
      case BROKEN -> {
        trouble(api -> api.fail(times, random.nextBoolean() ? 500 : 503));
        spoilReadWrite(random);
      }
      case CUT -> {
        trouble(
            api -> api.misbehave(times, random.nextBoolean() ? RawFault.cut() : RawFault.hangUp()));
        spoilReadWrite(random);
      }
      case GARBAGE ->
          trouble(api -> api.misbehave(times, RawFault.body(200, "<html>\u0000</html>")));
      case SLOW -> {
        trouble(api -> api.delay(Duration.ofMillis(100L + random.nextInt(400))));
        spoilReadWrite(random);
      }
      case HANGING -> trouble(FakeApiServer::hang);
      case API_DOWN -> {
        apiIsDown = true;
        trouble(FakeApiServer::stop);
      }
      default -> {
        return edit(fault, random);
      }
    }
    return times + " times where it is counted";
  }

  private interface ApiDeed {
    void to(FakeApiServer api);
  }

  private void trouble(ApiDeed deed) {
    apiTroubled = true;
    deed.to(api);
  }

  /** Edits RW half of the time, so that the manager has something to write. */
  private void spoilReadWrite(Random random) {
    if (random.nextBoolean()) {
      edit(Fault.RW_EDITED, random);
    }
  }

  private void rival(Random random) {
    edit(random.nextBoolean() ? Fault.RW_EDITED : Fault.LABELLED, random);
  }

  private synchronized String edit(Fault fault, Random random) {
    boolean possible =
        switch (fault) {
          // The manager still remembers what the deleted objects stored.
          case RW_DELETED, RO_DELETED, BOTH_DELETED -> isAnythingStored();
          case RO_EDITED -> form.of(api, RO) != null;
          default -> form.of(api, RW) != null;
        };
    if (!possible) {
      return null;
    }
    edits.incrementAndGet();
    try {
      switch (fault) {
        case RW_EDITED -> setAddresses(RW, random.nextBoolean() ? "" : anyAddress(random));
        case RO_EDITED -> setAddresses(RO, random.nextBoolean() ? "" : anyAddress(random));
        case LABELLED -> {
          HasMetadata object = form.of(api, RW);
          object.getMetadata().getLabels().put("others", String.valueOf(random.nextInt()));
          api.put(object);
        }
        case RW_DELETED -> form.delete(api, RW);
        case RO_DELETED -> form.delete(api, RO);
        case BOTH_DELETED -> {
          form.delete(api, RW);
          form.delete(api, RO);
        }
        case PAUSED -> annotate(RW, Annotations.PAUSED, "true");
        case UNREADABLE -> annotate(RW, Annotations.TIMELINE, "seven");
        default -> throw new IllegalArgumentException(fault.toString());
      }
      letWatchesTell();
      return "";
    } finally {
      edits.incrementAndGet();
    }
  }

  /** Waits until watches report the change: a cycle that begins earlier cannot know it. */
  private static void letWatchesTell() {
    try {
      Thread.sleep(WATCH_LAG.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static String anyAddress(Random random) {
    return random.nextBoolean() ? WRONG_ADDRESS : "127.0.0." + (1 + random.nextInt(3));
  }

  private void setAddresses(String service, String address) {
    HasMetadata object = form.of(api, service);
    if (object != null) {
      api.put(form.with(object, address, cluster.port()));
    }
  }

  private void annotate(String service, String name, String value) {
    HasMetadata object = form.of(api, service);
    object.getMetadata().getAnnotations().put(name, value);
    api.put(object);
  }

  // ---- putting it right

  /** Repairs everything as an operator does: one primary, two standbys, an API that works. */
  void heal() throws SQLException {
    api.heal();
    if (apiIsDown) {
      api.start();
      apiIsDown = false;
    }
    apiTroubled = false;
    clearAnnotations();
    for (Place place : places) {
      switch (place.condition) {
        case REPLACED -> {
          place.foreign.stop();
          place.condition = Condition.DOWN;
        }
        case FROZEN -> kill(place);
        default -> freeHogs(place);
      }
    }
    PostgresServer primary = rightful();
    for (Place place : places(Condition.UP)) {
      if (place.own != primary && truth.claim(place.own) != null) {
        kill(place);
      }
    }
    Place led = placeOf(primary);
    if (led.condition == Condition.DOWN) {
      start(led);
    }
    if (passwordIsWrong) {
      primary.sql(
          "ALTER ROLE " + PostgresCluster.USER + " PASSWORD '" + PostgresCluster.PASSWORD + "'");
      passwordIsWrong = false;
    }
    answers(led);
    for (Place place : places) {
      if (place != led && !streams(place, primary)) {
        rejoin(place, primary);
      }
    }
  }

  private void clearAnnotations() {
    HasMetadata object = form.of(api, RW);
    if (object == null) {
      return;
    }
    edits.incrementAndGet();
    var annotations = object.getMetadata().getAnnotations();
    annotations.remove(Annotations.PAUSED);
    if ("seven".equals(annotations.get(Annotations.TIMELINE))) {
      annotations.put(Annotations.TIMELINE, String.valueOf(published.timeline()));
    }
    api.put(object);
    letWatchesTell();
    edits.incrementAndGet();
  }

  /** Returns the next primary: the published server, or the last one that continues it. */
  private PostgresServer rightful() {
    Truth.Claim best = published;
    for (Truth.Claim claim : truth.claims()) {
      if (claim.timeline() > best.timeline()
          && (rights == Rights.LOGIN || claim.branch().looksLikeContinuing(published.branch()))) {
        best = claim;
      }
    }
    return best.server();
  }

  private static boolean streams(Place place, PostgresServer primary) throws SQLException {
    if (place.condition != Condition.UP) {
      return false;
    }
    for (int i = 0; i < 10; i++) {
      String state =
          primary.sql(
              "SELECT state FROM pg_stat_replication WHERE application_name = '"
                  + place.own.name()
                  + "' ORDER BY backend_start DESC");
      if ("streaming".equals(state)) {
        return true;
      }
      pause();
    }
    return false;
  }

  private static void pause() {
    pause(Duration.ofMillis(100));
  }

  private static void pause(Duration duration) {
    try {
      Thread.sleep(duration.toMillis());
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private void rejoin(Place place, PostgresServer primary) throws SQLException {
    truth.wavers(place.own);
    if (place.own.isRunning()) {
      place.own.kill();
    }
    truth.follows(place.own, truth.claim(primary).branch());
    place.upstream = primary;
    cluster.rejoin(place.own, primary);
    place.condition = Condition.UP;
  }

  /** Whether the Services route to the one primary and its two standbys. */
  boolean isServed() {
    List<Truth.Claim> claims = truth.claims();
    if (claims.size() != 1) {
      return false;
    }
    String primary = claims.get(0).server().host();
    List<String> standbys =
        places.stream()
            .map(place -> place.own.host())
            .filter(host -> !host.equals(primary))
            .sorted()
            .toList();
    return addresses(RW).equals(List.of(primary)) && addresses(RO).equals(standbys);
  }

  @Override
  public void close() {
    api.close();
    for (Place place : places) {
      freeHogs(place);
    }
    cluster.close();
    foreigners.forEach(PostgresCluster::close);
  }
}
