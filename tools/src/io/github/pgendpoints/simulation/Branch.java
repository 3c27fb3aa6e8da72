package io.github.pgendpoints.simulation;

import io.github.pgendpoints.topology.History;
import io.github.pgendpoints.topology.Line;
import io.github.pgendpoints.topology.Lsn;
import java.util.ArrayList;
import java.util.List;

/**
 * A branch of WAL with an identity of its own. The rules see its number and its begin only, and two
 * branches may have both in common.
 */
final class Branch {
  final String cluster;
  final long timeline;
  final long begin;
  final Branch parent;
  private History history;

  Branch(String cluster, long timeline, long begin, Branch parent) {
    this.cluster = cluster;
    this.timeline = timeline;
    this.begin = begin;
    this.parent = parent;
  }

  /** Where a new cluster begins. */
  static Branch first(String cluster) {
    return new Branch(cluster, 1, 0, null);
  }

  boolean descendsFrom(Branch other) {
    for (Branch branch = this; branch != null; branch = branch.parent) {
      if (branch == other) {
        return true;
      }
    }
    return false;
  }

  /** Where an ancestor ends on the way to this branch. */
  long endOf(Branch ancestor) {
    return childOf(ancestor).begin;
  }

  /** The branch that follows an ancestor on the way to this one. */
  Branch childOf(Branch ancestor) {
    Branch branch = this;
    while (branch.parent != ancestor) {
      branch = branch.parent;
    }
    return branch;
  }

  /** The branch on the way here that looks like another one; null when none does. */
  Branch looksLike(Branch other, boolean beginsAreTold) {
    for (Branch branch = this; branch != null; branch = branch.parent) {
      if (branch.timeline == other.timeline && (!beginsAreTold || branch.begin == other.begin)) {
        return branch;
      }
    }
    return null;
  }

  /** The branch on the way here that looks like a line that is stored; null when none does. */
  Branch looksLike(Line line, boolean beginsAreTold) {
    for (Branch branch = this; branch != null; branch = branch.parent) {
      if (branch.timeline == line.timeline()
          && (!beginsAreTold || line.begin() == null || branch.begin == line.begin().bytes())) {
        return branch;
      }
    }
    return null;
  }

  /** What its history file says. */
  History history() {
    if (history == null) {
      List<History.Ancestor> ancestors = new ArrayList<>();
      for (Branch child = this; child.parent != null; child = child.parent) {
        ancestors.add(0, new History.Ancestor(child.parent.timeline, new Lsn(child.begin)));
      }
      history = new History(timeline, ancestors);
    }
    return history;
  }

  @Override
  public String toString() {
    return (parent == null ? cluster + " " : parent + " > ")
        + timeline
        + "@"
        + Long.toHexString(begin)
        + "#"
        + Integer.toHexString(System.identityHashCode(this));
  }
}
