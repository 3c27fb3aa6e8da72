package io.github.pgendpoints.simulation;

import io.github.pgendpoints.topology.DecisionSettings;
import io.github.pgendpoints.topology.Quorum;
import io.github.pgendpoints.topology.ReadOnlyRules;
import io.github.pgendpoints.topology.Right;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * The settings of one run.
 *
 * @param servers the number of servers at the start
 * @param grants on which servers our role has more rights than LOGIN
 * @param state whether STATE is set
 * @param form how the program runs
 * @param equalBegins whether standbys that are promoted apart may have the same begin
 * @param archive whether a promotion sees the timeline numbers of other promotions
 * @param clear ON_SPLIT_BRAIN=clear
 * @param majority MIN_REACHABLE_NODES=majority; else 1
 * @param fallback RO_FALLBACK=primary
 */
record Setup(
    int servers,
    Grants grants,
    boolean state,
    Form form,
    boolean equalBegins,
    boolean archive,
    boolean clear,
    boolean majority,
    boolean fallback) {
  static final Duration INTERVAL = Duration.ofSeconds(5);
  static final Duration STATE_AGE = Duration.ofSeconds(15);

  enum Grants {
    ALL,
    SOME,
    NONE
  }

  enum Form {
    /** One process, cycle after cycle. */
    CONTINUOUS,
    /** Two replicas, one of which holds the Lease. */
    REPLICAS,
    /** One process per cycle. */
    ONCE
  }

  static Setup of(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int grants = random.nextInt(10);
    return new Setup(
        2 + random.nextInt(3),
        grants < 6 ? Grants.ALL : grants < 8 ? Grants.SOME : Grants.NONE,
        random.nextInt(3) > 0,
        Form.values()[random.nextInt(3)],
        random.nextBoolean(),
        random.nextInt(3) == 0,
        random.nextInt(4) == 0,
        random.nextInt(3) == 0,
        random.nextInt(4) == 0);
  }

  DecisionSettings decision() {
    return new DecisionSettings(
        majority ? Quorum.MAJORITY : new Quorum(1),
        new ReadOnlyRules(null, false, fallback),
        STATE_AGE);
  }

  Set<Right> rights(SplittableRandom random) {
    return switch (grants) {
      case ALL -> EnumSet.allOf(Right.class);
      case NONE -> EnumSet.noneOf(Right.class);
      case SOME -> {
        Set<Right> some = EnumSet.noneOf(Right.class);
        if (random.nextBoolean()) {
          some.add(Right.MONITOR);
        }
        if (random.nextBoolean()) {
          some.add(Right.HISTORY);
        }
        yield some;
      }
    };
  }
}
