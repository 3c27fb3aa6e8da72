package io.github.pgendpoints.soak;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.github.pgendpoints.publish.Annotations;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.kubernetes.RawFault;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A cluster of three, a server of another cluster for each of their addresses, and the API: all
 * that can go wrong, and how it is put right. Whatever is done to a node goes to the {@link Truth}.
 */
final class World implements AutoCloseable {
  private static final Duration WATCH_LAG = Duration.ofMillis(500);
  static final String RW = "pg-rw";
  static final String RO = "pg-ro";

  private static final String WRONG_ADDRESS = "127.0.0.66";

  /** Where an address's own server is, as far as our hands go. */
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
  private final List<Place> places = new ArrayList<>();
  private final Truth truth = new Truth();
  private final String systemIdentifier;
  private final AtomicInteger edits = new AtomicInteger();
  private volatile boolean apiTroubled;
  private volatile boolean passwordIsWrong;
  private boolean apiIsDown;

  World(Form form) throws SQLException {
    this.form = form;
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
    truth.promoting(primary);
    truth.promoted(primary, primary.timeline());
    truth.answers(primary);
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

  Truth truth() {
    return truth;
  }

  String systemIdentifier() {
    return systemIdentifier;
  }

  /**
   * Grows before and after each change of the Endpoints that is not the manager's: odd meanwhile.
   */
  int edits() {
    return edits.get();
  }

  boolean isApiTroubled() {
    return apiTroubled;
  }

  /** Our server at an address. */
  PostgresServer serverAt(String host) {
    return places.stream()
        .map(place -> place.own)
        .filter(server -> server.host().equals(host))
        .findFirst()
        .orElse(null);
  }

  /** The addresses behind a Service. */
  List<String> addresses(String service) {
    HasMetadata object = form.of(api, service);
    return object == null ? List.of() : form.addresses(object);
  }

  String annotation(String service, String name) {
    HasMetadata object = form.of(api, service);
    return object == null ? null : object.getMetadata().getAnnotations().get(name);
  }

  /** The versions of both Endpoints, which each change raises. */
  String versions() {
    return version(RW) + "/" + version(RO);
  }

  private String version(String service) {
    HasMetadata object = form.of(api, service);
    return object == null ? "none" : object.getMetadata().getResourceVersion();
  }

  /** How many sessions of the manager's role there are on our servers, which all run. */
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

  /** All there is to know, for people. */
  String describe() {
    return "nodes: %s; claims: %s; %s %s, %s %s; timeline %s; password %s; API %s"
        .formatted(
            places,
            truth.claims(),
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
   * Lets a fault happen, where it can.
   *
   * @return what was done; null when the fault cannot happen now
   */
  String apply(Fault fault, Random random) throws SQLException {
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
      case PROMOTE -> promoteAny(random);
      case PASSWORD -> spoilPassword();
      case CONNECTIONS -> onPlace(random, Condition.UP, this::hog);
      case TERMINATE -> terminate(random);
      case FOREIGN -> replace(random);
      default -> onApi(fault, random);
    };
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

  /** It is a primary to all who ask, unless something keeps our role out. */
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
    List<Place> standbys = runningStandbys();
    if (primaries.size() != 1 || standbys.size() != 2 || passwordIsWrong) {
      return null;
    }
    Place lost = primaries.get(0);
    boolean frozen = random.nextInt(4) == 0;
    if (frozen) {
      freeze(lost);
    } else {
      kill(lost);
    }
    PostgresServer heir = cluster.furthestStandby();
    Place promoted = placeOf(heir);
    promote(promoted);
    Place other = standbys.get(0) == promoted ? standbys.get(1) : standbys.get(0);
    String followed = "";
    if (random.nextBoolean()) {
      other.own.follow(heir);
      followed = ", which " + other.own.host() + " follows";
    }
    return "%s %s, %s promoted%s"
        .formatted(lost.own.host(), frozen ? "frozen" : "killed", heir.host(), followed);
  }

  private List<Place> primaries(Condition condition) {
    return places(condition).stream().filter(place -> truth.claim(place.own) != null).toList();
  }

  /** The one that must not be believed, though it is the only one. */
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

  /** Where it did not follow the first one, it gets the same timeline. */
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
    truth.promoted(place.own, place.own.timeline());
    answers(place);
  }

  private String promoteAny(Random random) throws SQLException {
    Place place = any(random, runningStandbys());
    if (place == null) {
      return null;
    }
    promote(place);
    return place.own.host();
  }

  /** As somebody does who changes the password and forgets us; sessions that are open go on. */
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

  private static void endSessions(PostgresServer server) throws SQLException {
    server.sql(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '"
            + PostgresCluster.USER
            + "'");
  }

  private void hog(Place place) throws SQLException {
    if (!place.hogs.isEmpty()) {
      return;
    }
    truth.wavers(place.own);
    // As superuser, who may use the reserved ones too; the last is left to us here.
    for (int i = 0; i < 10; i++) {
      try {
        place.hogs.add(place.own.connect());
      } catch (SQLException e) {
        break;
      }
    }
    if (place.hogs.size() > 1) {
      endSessions(place.own);
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

  /** Not while nothing is published: then the majority decides which cluster is ours. */
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

  /** Half of the time, so that there is something to write. */
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
          // Where nothing is stored any more, the majority of the nodes decides which cluster is
          // ours.
          case RW_DELETED -> annotation(RO, Annotations.SYSTEM_IDENTIFIER) != null;
          case RO_DELETED -> annotation(RW, Annotations.SYSTEM_IDENTIFIER) != null;
          case BOTH_DELETED -> isUndisturbed();
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

  /** A watch tells a moment later: a cycle that begins meanwhile cannot know. */
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

  /** Whether nobody could mistake a server for what it is not, were the stored topology lost. */
  boolean isUndisturbed() {
    return places(Condition.UP).size() == 3
        && truth.claims().size() == 1
        && places.stream().allMatch(place -> place.hogs.isEmpty())
        && !passwordIsWrong
        && !apiTroubled;
  }

  // ---- putting it right

  /** What an operator does: one primary, two standbys, an API that works. */
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
    Truth.Claim published = truth.claim(publishedServer());
    var annotations = object.getMetadata().getAnnotations();
    annotations.remove(Annotations.PAUSED);
    if ("seven".equals(annotations.get(Annotations.TIMELINE))) {
      annotations.put(Annotations.TIMELINE, String.valueOf(published.timeline()));
    }
    api.put(object);
    letWatchesTell();
    edits.incrementAndGet();
  }

  private PostgresServer publishedServer() {
    return serverAt(annotation(RW, Annotations.PRIMARY));
  }

  /**
   * Who is to go on: the highest timeline, which clients may have written to; of several the one
   * that the Services lead to.
   */
  private PostgresServer rightful() {
    PostgresServer published = form.of(api, RW) == null ? null : publishedServer();
    Truth.Claim best = null;
    for (Truth.Claim claim : truth.claims()) {
      if (best == null
          || claim.timeline() > best.timeline()
          || claim.timeline() == best.timeline() && claim.server() == published) {
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
    try {
      Thread.sleep(100);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private void rejoin(Place place, PostgresServer primary) throws SQLException {
    truth.wavers(place.own);
    if (place.own.isRunning()) {
      place.own.kill();
    }
    truth.follows(place.own);
    cluster.rejoin(place.own, primary);
    place.condition = Condition.UP;
  }

  /** Whether the Services lead to the one primary and its two standbys. */
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
