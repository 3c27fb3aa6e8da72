package io.github.pgendpoints.simulation;

import io.github.pgendpoints.topology.PublishedPrimary;
import java.util.Set;

/** The Endpoints of one Service. */
final class ServiceObject {
  boolean exists;
  Set<String> addresses = Set.of();
  PublishedPrimary primary = PublishedPrimary.none();
  String systemIdentifier;
  long generation;
  boolean paused;
  boolean faulty;

  void delete() {
    exists = false;
    addresses = Set.of();
    primary = PublishedPrimary.none();
    systemIdentifier = null;
    generation = 0;
    paused = false;
    faulty = false;
  }

  /** Writes the addresses and the stored values; returns whether anything changed. */
  boolean write(Set<String> to, PublishedPrimary its, String identifier, long itsGeneration) {
    boolean same =
        exists
            && addresses.equals(to)
            && primary.equals(its)
            && java.util.Objects.equals(systemIdentifier, identifier)
            && generation == itsGeneration;
    exists = true;
    addresses = to;
    primary = its;
    systemIdentifier = identifier;
    generation = itsGeneration;
    return !same;
  }

  @Override
  public String toString() {
    return exists
        ? "%s %s gen %d%s%s"
            .formatted(
                addresses, primary, generation, paused ? " paused" : "", faulty ? " faulty" : "")
        : "absent";
  }
}
