package io.github.pgendpoints.simulation;

import io.github.pgendpoints.topology.History;
import io.github.pgendpoints.topology.Line;
import io.github.pgendpoints.topology.Lsn;
import java.util.ArrayList;
import java.util.List;

/**
 * A branch of WAL with its own identity. The rules see only its timeline number and its begin, and
 * two branches may have both in common.
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

  /** Returns the first branch of a new cluster. */
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

  /** Returns the position where this branch's history leaves an ancestor. */
  long endOf(Branch ancestor) {
    return childOf(ancestor).begin;
  }

  /** Returns the direct child of an ancestor on the path to this branch. */
  Branch childOf(Branch ancestor) {
    Branch branch = this;
    while (branch.parent != ancestor) {
      branch = branch.parent;
    }
    return branch;
  }

  /** Returns the branch in this history that looks like another branch; null if there is none. */
  Branch looksLike(Branch other, boolean beginsAreTold) {
    for (Branch branch = this; branch != null; branch = branch.parent) {
      if (branch.timeline == other.timeline && (!beginsAreTold || branch.begin == other.begin)) {
        return branch;
      }
    }
    return null;
  }

  /** Returns the branch in this history that looks like a stored line; null if there is none. */
  Branch looksLike(Line line, boolean beginsAreTold) {
    for (Branch branch = this; branch != null; branch = branch.parent) {
      if (branch.timeline == line.timeline()
          && (!beginsAreTold || line.begin() == null || branch.begin == line.begin().bytes())) {
        return branch;
      }
    }
    return null;
  }

  /** Returns the content of this branch's history file. */
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
