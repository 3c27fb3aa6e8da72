package io.github.pgendpoints.kubernetes.election;

import java.util.Map;
import java.util.Objects;
import java.util.UUID;

/**
 * A process that takes part in the election, as the Lease names it.
 *
 * <p>A host name proves no identity: two pods on the network of one machine share its name, and so
 * do two processes on a workstation. A process is the successor of another one only if both are the
 * first process of the same pod, which the pod's uid shows: the kubelet restarts a container of a
 * pod only after the previous one has ended.
 */
public record Candidate(String identity, String predecessors) {
  private static final int FIRST_PROCESS = 1;
  private static final int SHORT = 8;

  /**
   * Returns the candidate of this process.
   *
   * @param environment with HOSTNAME, the name of the pod, and POD_UID, its uid; both may be
   *     missing
   * @param pid the ID of this process
   */
  public static Candidate of(Map<String, String> environment, long pid) {
    String host = Objects.requireNonNullElse(environment.get("HOSTNAME"), "replica");
    String uid = environment.getOrDefault("POD_UID", "");
    String instance = UUID.randomUUID().toString().substring(0, SHORT);
    if (uid.length() < SHORT || pid != FIRST_PROCESS) {
      return new Candidate("%s_%s".formatted(host, instance), null);
    }
    String pod = "%s_%s_".formatted(host, uid);
    return new Candidate(pod + instance, pod);
  }

  /**
   * Whether the holder has certainly ended, since this process runs in its place.
   *
   * @param holder a holder's name in the Lease
   */
  boolean succeeds(String holder) {
    return predecessors != null && holder.startsWith(predecessors) && !holder.equals(identity);
  }
}
